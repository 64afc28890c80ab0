import hooks from 'eslint-plugin-react-hooks';
import ts from 'typescript-eslint';

const zone = (files, forbidden, message) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ group: forbidden, message }] }] },
});

export default ts.config(
  { ignores: ['src/shared/api/schema.ts', 'public/**', 'scripts/**', 'eslint.config.js'] },
  ...ts.configs.recommended,
  hooks.configs.flat.recommended,
  {
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'react-hooks/set-state-in-effect': 'off',
      'no-restricted-syntax': [
        'error',
        { selector: 'JSXText[value=/[A-Za-z\\u4e00-\\u9fff]{2,}/]', message: 'Texts for people come from the catalogues.' },
        { selector: 'Literal[value=/^#[0-9a-fA-F]{3,8}$/]', message: 'Colours come from shared/theme.' },
      ],
    },
  },
  { files: ['src/shared/theme/**', '**/*.test.*'], rules: { 'no-restricted-syntax': 'off' } },
  zone(['src/shared/**'], ['@app/*', '**/features/**', '**/scenarios/**', '**/app/**'], 'shared imports nothing above it.'),
  zone(['src/features/**'], ['**/app/**', '**/scenarios/**'], 'Features reach scenarios through shared/scenario.'),
  zone(['src/scenarios/**'], ['**/app/**', '**/features/**'], 'Scenarios import shared only.'),
);
