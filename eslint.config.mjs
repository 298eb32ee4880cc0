import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['**/dist/**', '**/build/**', '**/node_modules/**', '.nx/**', 'runs/**'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      // Typed-array code reads elements whose presence the loop bounds guarantee.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['tools/**', 'packages/*/bin/**', 'packages/cli/**', 'packages/bench/**', 'examples/**'],
    rules: { 'no-console': 'off' },
  },
)
