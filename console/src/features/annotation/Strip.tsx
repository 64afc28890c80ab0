import { useEffect, useRef } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Schemas } from '../../shared/api/client';
import { picture } from '../../shared/api/queries';
import { score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';

/** Pictures beside the present one, under the filter and in the order of the address. */
export function Strip({ dataset, sample, neighbours }: { dataset: string; sample: string; neighbours: Schemas['Neighbours'] | undefined }) {
  const { t } = useText();
  const [params] = useSearchParams();
  const present = useRef<HTMLSpanElement>(null);
  const list = useRef<HTMLElement>(null);
  useEffect(() => {
    const [box, mark] = [list.current, present.current];
    if (box && mark) box.scrollLeft = mark.offsetLeft - box.clientWidth / 2 + mark.clientWidth / 2;
  }, [sample, neighbours]);
  if (!neighbours) return <div className="sg-annotation-strip" />;
  const thumb = (item: Schemas['Neighbour']) => (
    <Link key={item.id} to={`/datasets/${encodeURIComponent(dataset)}/annotate/${item.id}?${params}`} className="sg-strip-item" data-state={item.state} title={item.path}>
      <img src={picture.sample(dataset, item.id, 96)} alt={item.path} loading="lazy" />
      {item.doubt !== null && <span className="sg-figures">{score(item.doubt)}</span>}
    </Link>
  );
  return (
    <nav ref={list} className="sg-annotation-strip" aria-label={params.get('sort') === 'doubt' ? t('annotation.stripDoubt') : t('annotation.strip')}>
      {neighbours.before.map(thumb)}
      <span ref={present} className="sg-strip-item" aria-current="page">
        <img src={picture.sample(dataset, sample, 96)} alt={t('annotation.present')} />
      </span>
      {neighbours.after.map(thumb)}
    </nav>
  );
}
