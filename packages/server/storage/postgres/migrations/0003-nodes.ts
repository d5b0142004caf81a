import { enableAlways } from './enable-always.ts'
import type { Migration } from './migration.ts'

/**
 * The nodes that may be deciding. One that has left is marked and kept, because its id is never used again. Rows have room
 * beside them, so that a renewal touches no index.
 */
export const nodes: Migration = {
  version: 3,
  name: 'nodes',
  sql: `
CREATE TABLE nodes (
  node_id TEXT PRIMARY KEY,
  lease_ms BIGINT NOT NULL CHECK (lease_ms > 0),
  joined_at_ms BIGINT NOT NULL,
  renewals BIGINT NOT NULL DEFAULT 0,
  in_force_seq BIGINT NOT NULL DEFAULT 0,
  grants_since_ms BIGINT,
  left_at_ms BIGINT
) WITH (fillfactor = 50);

-- Every revocation reads the members; those that have left stay for ever.
CREATE INDEX nodes_present ON nodes (node_id) WHERE left_at_ms IS NULL;

CREATE FUNCTION node_new() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM nodes WHERE node_id = NEW.node_id) THEN
    RAISE EXCEPTION 'the id of a node is used once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER node_new BEFORE INSERT ON nodes FOR EACH ROW EXECUTE FUNCTION node_new();

CREATE FUNCTION node_joins() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.renewals <> 0 OR NEW.in_force_seq <> 0 OR NEW.left_at_ms IS NOT NULL THEN
    RAISE EXCEPTION 'a node joins without renewals and has reported nothing';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER node_joins BEFORE INSERT ON nodes FOR EACH ROW EXECUTE FUNCTION node_joins();

CREATE FUNCTION node_identity() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.node_id IS DISTINCT FROM OLD.node_id OR NEW.lease_ms IS DISTINCT FROM OLD.lease_ms OR NEW.joined_at_ms IS DISTINCT FROM OLD.joined_at_ms THEN
    RAISE EXCEPTION 'the id and the lease length of a node never change';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER node_identity BEFORE UPDATE ON nodes FOR EACH ROW EXECUTE FUNCTION node_identity();

CREATE FUNCTION node_renews() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.renewals < OLD.renewals THEN
    RAISE EXCEPTION 'the renewals of a node never go backwards';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER node_renews BEFORE UPDATE ON nodes FOR EACH ROW EXECUTE FUNCTION node_renews();

CREATE FUNCTION node_grants() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.grants_since_ms IS NOT NULL AND NEW.grants_since_ms IS DISTINCT FROM OLD.grants_since_ms THEN
    RAISE EXCEPTION 'that a node grants leases is never taken back';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER node_grants BEFORE UPDATE ON nodes FOR EACH ROW EXECUTE FUNCTION node_grants();

CREATE FUNCTION node_leaves_once() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.left_at_ms IS NOT NULL THEN
    RAISE EXCEPTION 'a node that has left never comes back';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER node_leaves_once BEFORE UPDATE ON nodes FOR EACH ROW EXECUTE FUNCTION node_leaves_once();

CREATE FUNCTION node_kept() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'a node is never deleted';
END $$;
CREATE TRIGGER node_kept BEFORE DELETE OR TRUNCATE ON nodes EXECUTE FUNCTION node_kept();
${enableAlways}`,
}
