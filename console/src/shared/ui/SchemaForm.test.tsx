import { fireEvent, render, screen } from '@testing-library/react';
import { beforeAll, expect, it, vi } from 'vitest';
import { changeLanguage, startI18n } from '../i18n';
import { SchemaForm, type Schema } from './SchemaForm';

const schema: Schema = {
  properties: {
    mirror: {
      title: 'Mirror',
      description: 'Learn mirrored pictures too.',
      type: 'string',
      enum: ['yes', 'no'],
      default: 'yes',
      'x-zh': { title: '镜像', description: '同时学习镜像图片。', names: { yes: '是', no: '否' } },
    },
    prices: { title: 'Price list', type: 'object', additionalProperties: { type: 'string' }, default: {} },
  },
};

beforeAll(async () => {
  await startI18n();
});

it('speaks Chinese where the schema does', async () => {
  changeLanguage('zh-CN');
  render(<SchemaForm schema={schema} values={{}} errors={{}} onChange={() => undefined} />);
  expect(await screen.findByText('镜像')).toBeTruthy();
  expect(screen.getByText('同时学习镜像图片。')).toBeTruthy();
  expect(screen.getByRole('option', { name: '否' })).toBeTruthy();
});

it('takes a price list row by row and leaves out what is not complete', () => {
  changeLanguage('en');
  const changed = vi.fn();
  render(<SchemaForm schema={schema} values={{}} errors={{}} onChange={changed} />);
  fireEvent.change(screen.getByLabelText('Label'), { target: { value: 'cup' } });
  fireEvent.change(screen.getAllByLabelText('Price')[0]!, { target: { value: '2.50' } });
  expect(changed).toHaveBeenLastCalledWith({ prices: { cup: '2.50' } });
  fireEvent.click(screen.getByLabelText('Remove cup'));
  expect(changed).toHaveBeenLastCalledWith({});
});
