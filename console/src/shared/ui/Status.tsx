import {
  CheckCircleIcon,
  CheckIcon,
  CircleIcon,
  CloseCircleIcon,
  EditIcon,
  ErrorCircleIcon,
  HourglassIcon,
  LoadingIcon,
  PlayCircleIcon,
  StopCircleIcon,
  WalletIcon,
} from 'tdesign-icons-react';
import type { ComponentType } from 'react';
import { useText } from '../i18n';
import { Tip } from './Tip';

export type Theme = 'default' | 'primary' | 'success' | 'warning' | 'danger';
type Look = [Theme, ComponentType<{ className?: string }>];

const LOOKS: Record<string, Record<string, Look>> = {
  run: {
    not_started: ['default', CircleIcon],
    submitting: ['default', LoadingIcon],
    queued: ['default', HourglassIcon],
    starting: ['primary', LoadingIcon],
    running: ['primary', LoadingIcon],
    stopping: ['warning', LoadingIcon],
    stopped: ['default', StopCircleIcon],
    failed: ['danger', ErrorCircleIcon],
    succeeded: ['success', CheckCircleIcon],
  },
  service: {
    creating: ['primary', LoadingIcon],
    starting: ['primary', LoadingIcon],
    running: ['success', PlayCircleIcon],
    sleeping: ['default', HourglassIcon],
    stopping: ['warning', LoadingIcon],
    stopped: ['default', StopCircleIcon],
    abnormal: ['danger', ErrorCircleIcon],
    create_failed: ['danger', CloseCircleIcon],
    arrears_stopped: ['danger', WalletIcon],
  },
  instance: {
    starting: ['primary', LoadingIcon],
    ready: ['success', CheckIcon],
    unhealthy: ['warning', ErrorCircleIcon],
    restarting: ['warning', LoadingIcon],
    draining: ['warning', LoadingIcon],
    stopped: ['default', StopCircleIcon],
    lost: ['danger', ErrorCircleIcon],
  },
  import: {
    checking: ['primary', LoadingIcon],
    checked: ['warning', HourglassIcon],
    importing: ['primary', LoadingIcon],
    done: ['success', CheckCircleIcon],
    failed: ['danger', ErrorCircleIcon],
    cancelled: ['default', StopCircleIcon],
  },
  dataset: {
    ready: ['success', CheckCircleIcon],
    importing: ['primary', LoadingIcon],
    waiting: ['warning', HourglassIcon],
    empty: ['default', CircleIcon],
    failed: ['danger', ErrorCircleIcon],
  },
  sample: {
    unlabelled: ['default', CircleIcon],
    pre_labelled: ['primary', EditIcon],
    labelled: ['success', CheckIcon],
  },
  candidate: {
    waiting: ['default', CircleIcon],
    running: ['primary', LoadingIcon],
    finished: ['success', CheckIcon],
    dropped: ['default', StopCircleIcon],
    failed: ['danger', ErrorCircleIcon],
  },
};

/** A status as icon and word; a code of a newer server is shown as it is. */
export function StatusTag({ about, code, title }: { about: keyof typeof LOOKS; code: string; title?: string | null }) {
  const { t } = useText();
  const look = LOOKS[about]?.[code];
  const Icon = look?.[1] ?? CircleIcon;
  const tag = (
    <span className="sg-tag" data-theme={look?.[0] ?? 'default'} data-status={code} tabIndex={title ? 0 : undefined}>
      <Icon className={Icon === LoadingIcon ? 'sg-spin' : undefined} />
      {look ? t(`status.${about}.${code}`) : code}
    </span>
  );
  return title ? <Tip text={title}>{tag}</Tip> : tag;
}
