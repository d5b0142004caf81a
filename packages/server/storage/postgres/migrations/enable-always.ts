/** To be run after triggers were made: they fire for a session that takes itself for a replica as well, which others do not. */
export const enableAlways = `
DO $$
DECLARE guard record;
BEGIN
  FOR guard IN
    SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal AND tgenabled <> 'A' AND relnamespace = current_schema()::regnamespace
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', guard.relname, guard.tgname);
  END LOOP;
END $$;
`
