/** Whom the examples are about. */
export const exampleGroup = { id: '3f2a1c58-6b0d-4b8e-9a39-6d1f0a5c2e10', name: 'North' };

export const exampleUser = {
  id: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  email: 'nora@north.example',
  name: 'Nora Nord',
  state: 'active',
  role: 'person',
  roleGroup: null,
  locale: null,
  emailVerified: true,
  twoStepRequired: true,
  createdAt: '2026-03-01T08:00:00.000Z',
  invitedAt: null,
  disabledAt: null,
} as const;

export const exampleClaim = {
  name: 'department',
  scope: 'staff',
  label: { sv: 'Avdelning', en: 'Department' },
  multi: false,
};

export const exampleAuditEvent = {
  id: 4711,
  at: '2026-03-01T09:00:00.000Z',
  event: 'sign-in.finished',
  account: exampleUser.id,
  email: exampleUser.email,
  operator: null,
  operatorEmail: null,
  program: null,
  client: 'payroll',
  address: '203.0.113.7',
  request: '4f2d8a90b1c3',
  detail: {},
} as const;

export const exampleCase = '482-1937';
export const exampleApproval = '9b1d2f66-3c0a-4f57-8d77-0b8f5a0b6c33';
export const exampleClient = 'payroll';
export const exampleInitialAccessToken = 'c2a9f1de-7b3f-4c51-9f53-1d9d1f6f7a21';
export const exampleResourceServer = {
  number: '5d0c7c1e-93a4-4b0b-9b53-2b0f3a7c6e41',
  id: 'https://orders.example/api',
} as const;
export const exampleSecretId = 'b3b0c1de-5a3f-4a51-8f53-0c9d1f6f7a20';
/** The moment of the example's application, and its ETag. */
export const exampleClientVersion = { updatedAt: '2026-03-01T08:00:00.000Z', etag: '"1772352000000"' };
