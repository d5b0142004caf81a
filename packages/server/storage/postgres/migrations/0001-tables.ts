import type { Migration } from './migration.ts'

/** Tables, indexes and the view of effective revocations. Text that is sorted compares by bytes, which is by code point. */
export const tables: Migration = {
  version: 1,
  name: 'tables',
  sql: `
CREATE TABLE installation (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  issuer TEXT NOT NULL,
  epoch TEXT NOT NULL,
  token_prefix TEXT NOT NULL,
  operator_user_id TEXT NOT NULL,
  operator_email TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL
);

CREATE TABLE businesses (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL
);

CREATE TABLE members (
  business_id TEXT NOT NULL REFERENCES businesses (id),
  user_id TEXT NOT NULL,
  email TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (business_id, user_id),
  UNIQUE (business_id, email)
);

CREATE TABLE signing_keys (
  ordinal BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kid TEXT NOT NULL UNIQUE,
  jwk TEXT NOT NULL CHECK (jwk::json ->> 'kid' = kid),
  sealed_private_key BYTEA NOT NULL,
  created_at_ms BIGINT NOT NULL,
  retired_at_ms BIGINT
);

CREATE TABLE revocation_log (
  seq BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  body TEXT NOT NULL CHECK (body::json ->> 0 = kind),
  at_ms BIGINT NOT NULL,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL
);

CREATE TABLE log_head (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  epoch TEXT NOT NULL,
  seq BIGINT NOT NULL,
  hash TEXT NOT NULL
);

CREATE TABLE idx_counter (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  next_idx BIGINT NOT NULL
);

INSERT INTO idx_counter (id, next_idx) VALUES (1, 0);

CREATE TABLE tokens (
  idx BIGINT PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL UNIQUE,
  jti TEXT NOT NULL UNIQUE,
  business_id TEXT REFERENCES businesses (id),
  user_id TEXT NOT NULL,
  kid TEXT NOT NULL REFERENCES signing_keys (kid),
  name TEXT COLLATE "C" NOT NULL,
  description TEXT,
  scopes TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  last_used_at_ms BIGINT,
  issued_by TEXT,
  revoked_seq BIGINT REFERENCES revocation_log (seq),
  revoked_at_ms BIGINT,
  revoked_by TEXT,
  revocation_reason TEXT,
  CHECK ((revoked_seq IS NULL) = (revoked_at_ms IS NULL)),
  CHECK (revoked_seq IS NOT NULL OR (revoked_by IS NULL AND revocation_reason IS NULL))
);

CREATE INDEX living_tokens_of_holder ON tokens (business_id, user_id, created_at_ms, id) WHERE revoked_seq IS NULL;
CREATE INDEX tokens_of_holder_by_created_at ON tokens (business_id, user_id, created_at_ms, id);
CREATE INDEX tokens_by_created_at ON tokens (business_id, created_at_ms, id);
CREATE INDEX tokens_by_name ON tokens (business_id, name, id);
CREATE INDEX tokens_by_expires_at ON tokens (business_id, expires_at_ms, id);
CREATE INDEX tokens_by_last_used_at ON tokens (business_id, coalesce(last_used_at_ms, -1), id);

CREATE TABLE bulk_revocations (
  seq BIGINT PRIMARY KEY REFERENCES revocation_log (seq),
  kind TEXT NOT NULL,
  business_id TEXT REFERENCES businesses (id),
  user_id TEXT,
  kid TEXT REFERENCES signing_keys (kid),
  before_idx BIGINT NOT NULL,
  revoked_at_ms BIGINT NOT NULL,
  revoked_by TEXT,
  revocation_reason TEXT,
  CHECK (
    CASE kind
      WHEN 'business' THEN business_id IS NOT NULL AND user_id IS NULL AND kid IS NULL
      WHEN 'member' THEN business_id IS NOT NULL AND user_id IS NOT NULL AND kid IS NULL
      WHEN 'key' THEN business_id IS NULL AND user_id IS NULL AND kid IS NOT NULL
      ELSE FALSE
    END
  )
);

-- A token that is still alive lies beyond the last before_idx of its subjects: each index answers at once.
CREATE INDEX bulk_by_business ON bulk_revocations (business_id, before_idx, seq) WHERE kind = 'business';
CREATE INDEX bulk_by_member ON bulk_revocations (business_id, user_id, before_idx, seq) WHERE kind = 'member';
CREATE INDEX bulk_by_key ON bulk_revocations (kid, before_idx, seq) WHERE kind = 'key';

CREATE TABLE audit_events (
  id TEXT PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  action TEXT NOT NULL,
  request_id TEXT NOT NULL,
  token_id TEXT,
  user_id TEXT NOT NULL,
  email TEXT NOT NULL,
  claimed_email TEXT,
  business_id TEXT,
  subject_id TEXT NOT NULL
);

CREATE VIEW token_status AS
SELECT
  t.idx, t.id, t.jti, t.business_id, t.user_id, t.kid, t.name, t.description, t.scopes,
  t.created_at_ms, t.expires_at_ms, t.last_used_at_ms, t.issued_by,
  coalesce(t.revoked_seq, b.seq) AS revoked_seq,
  coalesce(t.revoked_at_ms, b.revoked_at_ms) AS revoked_at_ms,
  CASE WHEN t.revoked_seq IS NULL THEN b.revoked_by ELSE t.revoked_by END AS revoked_by,
  CASE WHEN t.revoked_seq IS NULL THEN b.revocation_reason ELSE t.revocation_reason END AS revocation_reason
FROM tokens AS t
LEFT JOIN bulk_revocations AS b ON t.revoked_seq IS NULL AND b.seq = (
  SELECT min(covering.seq) FROM (
    SELECT seq FROM bulk_revocations
      WHERE kind = 'business' AND business_id = t.business_id AND before_idx > t.idx
    UNION ALL
    SELECT seq FROM bulk_revocations
      WHERE kind = 'member' AND business_id = t.business_id AND user_id = t.user_id AND before_idx > t.idx
    UNION ALL
    SELECT seq FROM bulk_revocations
      WHERE kind = 'key' AND kid = t.kid AND before_idx > t.idx
  ) AS covering
);
`,
}
