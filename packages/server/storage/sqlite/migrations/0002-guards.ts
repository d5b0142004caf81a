import type { Migration } from './migration.ts'

/**
 * Triggers that make the database itself refuse what must never happen. Updates are guarded without a column list,
 * because `SET rowid = …` does not count as an update of the column it aliases; inserts are checked for an existing row
 * first, because `INSERT OR REPLACE` deletes silently unless `recursive_triggers` is on.
 */
export const guards: Migration = {
  version: 2,
  name: 'guards',
  sql: `
CREATE TRIGGER installation_once BEFORE INSERT ON installation
WHEN EXISTS (SELECT 1 FROM installation)
BEGIN SELECT RAISE(ABORT, 'there is one installation, written once'); END;

CREATE TRIGGER installation_fixed BEFORE UPDATE ON installation
WHEN NEW.id IS NOT OLD.id OR NEW.issuer IS NOT OLD.issuer OR NEW.epoch IS NOT OLD.epoch
BEGIN SELECT RAISE(ABORT, 'issuer and epoch of the installation never change'); END;

CREATE TRIGGER installation_kept BEFORE DELETE ON installation
BEGIN SELECT RAISE(ABORT, 'the installation is never deleted'); END;

-- The log: dense, chained, append-only. Appending is what moves the head.

CREATE TRIGGER log_continues BEFORE INSERT ON revocation_log
WHEN NOT EXISTS (SELECT 1 FROM log_head WHERE seq = NEW.seq - 1 AND hash = NEW.prev_hash)
BEGIN SELECT RAISE(ABORT, 'an entry must continue the head of the revocation log'); END;

CREATE TRIGGER log_moves_head AFTER INSERT ON revocation_log
BEGIN UPDATE log_head SET seq = NEW.seq, hash = NEW.hash; END;

CREATE TRIGGER log_unchanged BEFORE UPDATE ON revocation_log
BEGIN SELECT RAISE(ABORT, 'an entry of the revocation log never changes'); END;

CREATE TRIGGER log_kept BEFORE DELETE ON revocation_log
BEGIN SELECT RAISE(ABORT, 'an entry of the revocation log is never deleted'); END;

CREATE TRIGGER head_once BEFORE INSERT ON log_head
WHEN EXISTS (SELECT 1 FROM log_head) OR EXISTS (SELECT 1 FROM revocation_log) OR NEW.seq <> 0
BEGIN SELECT RAISE(ABORT, 'the revocation log has one head, which starts at 0'); END;

CREATE TRIGGER head_follows_log BEFORE UPDATE ON log_head
WHEN NEW.id IS NOT OLD.id OR NEW.epoch IS NOT OLD.epoch OR NEW.seq <> OLD.seq + 1 OR NOT EXISTS (
  SELECT 1 FROM revocation_log WHERE seq = NEW.seq AND hash = NEW.hash AND prev_hash = OLD.hash
)
BEGIN SELECT RAISE(ABORT, 'the head of the revocation log moves only to the entry that continues it'); END;

CREATE TRIGGER head_kept BEFORE DELETE ON log_head
BEGIN SELECT RAISE(ABORT, 'the head of the revocation log is never deleted'); END;

-- Indexes are used once.

CREATE TRIGGER counter_once BEFORE INSERT ON idx_counter
WHEN EXISTS (SELECT 1 FROM idx_counter)
BEGIN SELECT RAISE(ABORT, 'there is one index counter'); END;

CREATE TRIGGER counter_forward BEFORE UPDATE ON idx_counter
WHEN NEW.id IS NOT OLD.id OR NEW.next_idx < OLD.next_idx
BEGIN SELECT RAISE(ABORT, 'the index counter never goes backwards'); END;

CREATE TRIGGER counter_kept BEFORE DELETE ON idx_counter
BEGIN SELECT RAISE(ABORT, 'the index counter is never deleted'); END;

-- Tokens: identity fixed at birth, revocation final.

CREATE TRIGGER token_new BEFORE INSERT ON tokens
WHEN EXISTS (SELECT 1 FROM tokens WHERE idx = NEW.idx)
  OR EXISTS (SELECT 1 FROM tokens WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM tokens WHERE jti = NEW.jti)
BEGIN SELECT RAISE(ABORT, 'idx, id and jti of a token are used once'); END;

-- AFTER, because an index left out of the statement is only known then.
CREATE TRIGGER token_idx_taken AFTER INSERT ON tokens
WHEN NEW.idx < 0 OR NEW.idx >= (SELECT next_idx FROM idx_counter)
BEGIN SELECT RAISE(ABORT, 'the idx of a token must be taken from the counter'); END;

CREATE TRIGGER token_born_alive BEFORE INSERT ON tokens
WHEN NEW.revoked_seq IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a token is revoked through the revocation log only'); END;

CREATE TRIGGER token_kept BEFORE DELETE ON tokens
BEGIN SELECT RAISE(ABORT, 'a token is never deleted'); END;

CREATE TRIGGER token_identity BEFORE UPDATE ON tokens
WHEN NEW.idx IS NOT OLD.idx OR NEW.id IS NOT OLD.id OR NEW.jti IS NOT OLD.jti
  OR NEW.business_id IS NOT OLD.business_id OR NEW.user_id IS NOT OLD.user_id OR NEW.kid IS NOT OLD.kid
  OR NEW.scopes IS NOT OLD.scopes OR NEW.created_at_ms IS NOT OLD.created_at_ms
  OR NEW.expires_at_ms IS NOT OLD.expires_at_ms OR NEW.issued_by IS NOT OLD.issued_by
BEGIN SELECT RAISE(ABORT, 'what a token is and may do never changes'); END;

CREATE TRIGGER token_revocation_final BEFORE UPDATE ON tokens
WHEN OLD.revoked_seq IS NOT NULL AND (
  NEW.revoked_seq IS NOT OLD.revoked_seq OR NEW.revoked_at_ms IS NOT OLD.revoked_at_ms
  OR (NEW.revoked_by IS NOT NULL AND NEW.revoked_by IS NOT OLD.revoked_by)
  OR (NEW.revocation_reason IS NOT NULL AND NEW.revocation_reason IS NOT OLD.revocation_reason)
)
BEGIN SELECT RAISE(ABORT, 'the revocation of a token never changes; who and why may only be erased'); END;

CREATE TRIGGER token_revocation_logged BEFORE UPDATE ON tokens
WHEN OLD.revoked_seq IS NULL AND NEW.revoked_seq IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM revocation_log
  WHERE seq = NEW.revoked_seq AND body = '["token_revoked",' || NEW.idx || ']'
)
BEGIN SELECT RAISE(ABORT, 'a token is revoked only by the entry that names it'); END;

CREATE TRIGGER token_revocation_first BEFORE UPDATE ON tokens
WHEN OLD.revoked_seq IS NULL AND NEW.revoked_seq IS NOT NULL
  AND (SELECT revoked_seq FROM token_status WHERE idx = OLD.idx) < NEW.revoked_seq
BEGIN SELECT RAISE(ABORT, 'the token is already revoked by an earlier entry'); END;

-- Bulk revocations: as final, and never beyond what their entry says.

CREATE TRIGGER bulk_once BEFORE INSERT ON bulk_revocations
WHEN EXISTS (SELECT 1 FROM bulk_revocations WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'an entry makes one bulk revocation'); END;

CREATE TRIGGER bulk_logged BEFORE INSERT ON bulk_revocations
WHEN NOT EXISTS (
  SELECT 1 FROM revocation_log
  WHERE seq = NEW.seq AND body = CASE NEW.kind
    WHEN 'business' THEN json_array('business_revoked', NEW.business_id, NEW.before_idx)
    WHEN 'member' THEN json_array('member_revoked', NEW.business_id, NEW.user_id, NEW.before_idx)
    WHEN 'key' THEN json_array('key_retired', NEW.kid)
  END
)
BEGIN SELECT RAISE(ABORT, 'a bulk revocation must say what its entry says'); END;

CREATE TRIGGER bulk_within_counter BEFORE INSERT ON bulk_revocations
WHEN NEW.before_idx > (SELECT next_idx FROM idx_counter)
BEGIN SELECT RAISE(ABORT, 'a bulk revocation ends only tokens that exist'); END;

CREATE TRIGGER bulk_final BEFORE UPDATE ON bulk_revocations
WHEN NEW.seq IS NOT OLD.seq OR NEW.kind IS NOT OLD.kind OR NEW.business_id IS NOT OLD.business_id
  OR NEW.user_id IS NOT OLD.user_id OR NEW.kid IS NOT OLD.kid OR NEW.before_idx IS NOT OLD.before_idx
  OR NEW.revoked_at_ms IS NOT OLD.revoked_at_ms
  OR (NEW.revoked_by IS NOT NULL AND NEW.revoked_by IS NOT OLD.revoked_by)
  OR (NEW.revocation_reason IS NOT NULL AND NEW.revocation_reason IS NOT OLD.revocation_reason)
BEGIN SELECT RAISE(ABORT, 'a bulk revocation never changes; who and why may only be erased'); END;

CREATE TRIGGER bulk_kept BEFORE DELETE ON bulk_revocations
BEGIN SELECT RAISE(ABORT, 'a bulk revocation is never deleted'); END;

-- Signing keys: added, retired once, kept.

CREATE TRIGGER key_once BEFORE INSERT ON signing_keys
WHEN EXISTS (SELECT 1 FROM signing_keys WHERE ordinal = NEW.ordinal OR kid = NEW.kid)
BEGIN SELECT RAISE(ABORT, 'a signing key is added once'); END;

CREATE TRIGGER key_fixed BEFORE UPDATE ON signing_keys
WHEN NEW.ordinal IS NOT OLD.ordinal OR NEW.kid IS NOT OLD.kid OR NEW.jwk IS NOT OLD.jwk
  OR NEW.sealed_private_key IS NOT OLD.sealed_private_key OR NEW.created_at_ms IS NOT OLD.created_at_ms
  OR (OLD.retired_at_ms IS NOT NULL AND NEW.retired_at_ms IS NOT OLD.retired_at_ms)
BEGIN SELECT RAISE(ABORT, 'a signing key never changes and is retired once, for good'); END;

CREATE TRIGGER key_kept BEFORE DELETE ON signing_keys
BEGIN SELECT RAISE(ABORT, 'a signing key is never deleted'); END;

-- The audit trail only grows.

CREATE TRIGGER audit_once BEFORE INSERT ON audit_events
WHEN EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an audit event is written once'); END;

CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'an audit event never changes'); END;

CREATE TRIGGER audit_kept BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'an audit event is never deleted'); END;
`,
}
