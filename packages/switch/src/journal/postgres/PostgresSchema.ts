/**
 * The tables of journals in PostgreSQL, and who may do what with them. Pure text: an administrator runs it once
 * (`jinka journal postgres`), and no switch ever changes a table.
 *
 * One schema serves many switches. A group is one row, as in SQLite (docs/decisions/0004-journal.md). Rows of groups are never
 * changed; `epoch` says which owner wrote them. Groups are in parts of equal numbers of entries, so that old ones can be dropped
 * and not deleted row by row; a switch writes into the part itself, and no commit has to look for it.
 */

/** Version of the tables. */
export const POSTGRES_SCHEMA_VERSION = 1

/** The oldest PostgreSQL that the tables and statements are tested with. */
export const POSTGRES_VERSION_MIN = 15

/** Entries of one part where a journal says nothing else: some 7 GB. */
const PART_ENTRIES_DEFAULT = 16_777_216

/** Statements are apart by an empty line. */
const tables = (schema: string) => `
CREATE TABLE IF NOT EXISTS ${schema}.version (
  id int PRIMARY KEY CHECK (id = 1),
  version int NOT NULL
);

INSERT INTO ${schema}.version VALUES (1, ${POSTGRES_SCHEMA_VERSION}) ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS ${schema}.journal (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  switch text NOT NULL UNIQUE,            -- name of the switch whose journal this is
  journal_id text NOT NULL,               -- identity of the journal, 32 hex digits
  part_entries bigint NOT NULL DEFAULT ${PART_ENTRIES_DEFAULT} CHECK (part_entries >= 1024),
  epoch bigint NOT NULL DEFAULT 0         -- counted up by each owner; changes with a takeover only
);

-- Beats are in a table of their own: a row that changes each second must not be the one that each commit looks at.
CREATE TABLE IF NOT EXISTS ${schema}.owner (
  journal int PRIMARY KEY REFERENCES ${schema}.journal,
  node text,                              -- null: handed over in order
  beat bigint NOT NULL DEFAULT 0,
  since timestamptz NOT NULL DEFAULT now(),
  beaten timestamptz NOT NULL DEFAULT now(),
  halted text                             -- why nobody takes it over until a person has decided; null: anybody may
) WITH (fillfactor = 50);

-- Who would take over: for operators, nobody decides by it.
CREATE TABLE IF NOT EXISTS ${schema}.standby (
  journal int NOT NULL REFERENCES ${schema}.journal,
  node text NOT NULL,
  seen timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (journal, node)
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS ${schema}.commit_group (
  journal int NOT NULL,
  first bigint NOT NULL,                  -- seq of the first and last entry; 1.. without gaps, 0 for the row that begins the chain
  last bigint NOT NULL,
  epoch bigint NOT NULL,                  -- the owner that wrote it
  sealed int NOT NULL,                    -- bytes of sealed card data at the end of "bytes"
  hash bytea NOT NULL,                    -- SHA-256 over "bytes" in two steps; they begin with the hash of the group before
  tag bytea NOT NULL,                     -- key id, and HMAC-SHA-256 of journal, "last" and "hash" under the journal's key
  bytes bytea NOT NULL,                   -- the group as the chain hashes it
  PRIMARY KEY (journal, first)
) PARTITION BY RANGE (journal, first);

CREATE TABLE IF NOT EXISTS ${schema}.beginning (
  journal int PRIMARY KEY REFERENCES ${schema}.journal,
  seq bigint NOT NULL,                    -- last entry that was dropped
  hash bytea NOT NULL,                    -- hash of the group that it ended
  counts text NOT NULL,                   -- entries per kind up to it, as JSON
  tag bytea NOT NULL
);

CREATE TABLE IF NOT EXISTS ${schema}.mark (
  journal int NOT NULL REFERENCES ${schema}.journal,
  seq bigint NOT NULL,                    -- last entry counted
  counts text NOT NULL,                   -- entries per kind since the journal began, as JSON
  tag bytea NOT NULL,
  PRIMARY KEY (journal, seq)
);

CREATE TABLE IF NOT EXISTS ${schema}.name (
  journal int NOT NULL REFERENCES ${schema}.journal,
  id int NOT NULL,
  name text NOT NULL,
  dialect text NOT NULL,
  tag bytea NOT NULL,
  PRIMARY KEY (journal, id)
);

CREATE TABLE IF NOT EXISTS ${schema}.key_slot (
  journal int NOT NULL REFERENCES ${schema}.journal,
  link text NOT NULL,
  slot text NOT NULL,                     -- purpose and direction
  changes bigint NOT NULL,                -- entries of kind "key" for this slot
  seq bigint NOT NULL,                    -- the last of them
  keys text NOT NULL,                     -- what is held now: wrapped keys with versions, check values and times
  tag bytea NOT NULL,
  PRIMARY KEY (journal, link, slot)
);`

/** lz4 where PostgreSQL was built with it: messages shrink to a quarter. Never pglz, which costs more than it saves. */
const compression = (schema: string) => `
DO $$ BEGIN
  ALTER TABLE ${schema}.commit_group ALTER COLUMN bytes SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
  ALTER TABLE ${schema}.commit_group ALTER COLUMN bytes SET STORAGE EXTERNAL;
END $$;`

const roles = (schema: string) =>
  ["switch", "reader", "keeper"]
    .map(
      (role) => `
DO $$ BEGIN
  CREATE ROLE ${schema}_${role} NOLOGIN;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;`
    )
    .join("\n")

/** Makes a part, or does nothing where it is: the one way in which a switch gets a table, and none in which it changes one. */
const makePart = (schema: string) => `
CREATE OR REPLACE FUNCTION ${schema}.make_part(of_journal int, number bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  entries bigint;
  part text := format('group_%s_%s', of_journal, number);
BEGIN
  SELECT part_entries INTO STRICT entries FROM ${schema}.journal WHERE id = of_journal;
  PERFORM pg_advisory_xact_lock(hashtextextended('${schema}.' || part, 0));
  IF to_regclass('${schema}.' || part) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE ${schema}.%I (LIKE ${schema}.commit_group INCLUDING STORAGE INCLUDING COMPRESSION)', part);
  EXECUTE format('ALTER TABLE ${schema}.commit_group ATTACH PARTITION ${schema}.%I FOR VALUES FROM (%s, %s) TO (%s, %s)',
    part, of_journal, number * entries, of_journal, (number + 1) * entries);
  EXECUTE format('GRANT SELECT, INSERT ON ${schema}.%I TO ${schema}_switch', part);
  EXECUTE format('GRANT SELECT ON ${schema}.%I TO ${schema}_reader', part);
END $$;

REVOKE ALL ON FUNCTION ${schema}.make_part FROM PUBLIC;`

/**
 * Drops the parts of which nothing is behind entry `up_to`, and says where the journal begins from then on: with a tag that only
 * the journal's key makes, and only as the owner, behind a group that is there. Marks go with them.
 */
const dropParts = (schema: string) => `
CREATE OR REPLACE FUNCTION ${schema}.drop_parts(of_journal int, as_epoch bigint, up_to bigint, up_to_hash bytea, up_to_counts text, row_tag bytea)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  entries bigint;
  part record;
  dropped int := 0;
BEGIN
  SELECT part_entries INTO STRICT entries FROM ${schema}.journal WHERE id = of_journal AND epoch = as_epoch;
  PERFORM 1 FROM (
    SELECT last, hash FROM ${schema}.commit_group WHERE journal = of_journal AND first <= up_to ORDER BY first DESC LIMIT 1
  ) AS g WHERE g.last = up_to AND g.hash = up_to_hash;
  IF NOT FOUND THEN RAISE EXCEPTION 'entry % ends no group of this journal', up_to; END IF;
  PERFORM 1 FROM ${schema}.commit_group WHERE journal = of_journal AND first = up_to + 1;
  IF NOT FOUND THEN RAISE EXCEPTION 'nothing is behind entry %', up_to; END IF;
  INSERT INTO ${schema}.beginning VALUES (of_journal, up_to, up_to_hash, up_to_counts, row_tag)
    ON CONFLICT (journal) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, counts = excluded.counts, tag = excluded.tag;
  DELETE FROM ${schema}.mark WHERE journal = of_journal AND seq <= up_to;
  FOR part IN SELECT c.relname AS name, substring(c.relname from '[0-9]+$')::bigint AS number FROM pg_inherits
    JOIN pg_class c ON c.oid = inhrelid
    WHERE inhparent = '${schema}.commit_group'::regclass AND c.relname ~ ('^group_' || of_journal || '_[0-9]+$')
  LOOP
    IF (part.number + 1) * entries <= up_to + 1 THEN
      EXECUTE format('DROP TABLE ${schema}.%I', part.name);
      dropped := dropped + 1;
    END IF;
  END LOOP;
  RETURN dropped;
END $$;

REVOKE ALL ON FUNCTION ${schema}.drop_parts FROM PUBLIC;`

const rights = (schema: string) => `
GRANT USAGE ON SCHEMA ${schema} TO ${schema}_switch, ${schema}_reader, ${schema}_keeper;

GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${schema}_switch, ${schema}_reader, ${schema}_keeper;

GRANT INSERT (switch, journal_id), UPDATE (epoch) ON ${schema}.journal TO ${schema}_switch;

GRANT INSERT, UPDATE ON ${schema}.owner TO ${schema}_switch;

GRANT INSERT, UPDATE, DELETE ON ${schema}.standby TO ${schema}_switch;

GRANT INSERT ON ${schema}.commit_group, ${schema}.mark, ${schema}.name, ${schema}.key_slot TO ${schema}_switch;

GRANT UPDATE (tag) ON ${schema}.name TO ${schema}_switch;

GRANT UPDATE (changes, seq, keys, tag) ON ${schema}.key_slot TO ${schema}_switch;

GRANT UPDATE (tag) ON ${schema}.beginning TO ${schema}_switch;

GRANT EXECUTE ON FUNCTION ${schema}.make_part TO ${schema}_switch;

GRANT EXECUTE ON FUNCTION ${schema}.drop_parts TO ${schema}_keeper;`

/**
 * What an administrator runs, once for each schema, in one transaction; to run it again changes nothing. Three roles nobody logs
 * in with: `_switch` writes groups and reads, `_reader` only reads, `_keeper` also drops old parts, for switches with
 * `journal.keep`.
 */
export const schemaStatements = (schema: string): ReadonlyArray<string> =>
  [`CREATE SCHEMA IF NOT EXISTS ${schema};`, tables, compression, roles, makePart, dropParts, rights]
    .map((part) => (typeof part === "string" ? part : part(schema)))
    .join("\n\n")
    .split(/\n{2,}/)

/** The same as a file. */
export const schemaText = (
  schema: string
): string => `-- Journals of Jinka switches, version ${POSTGRES_SCHEMA_VERSION}.
-- Run it as an administrator of the database: psql --single-transaction -v ON_ERROR_STOP=1 -f THIS
-- Then, for each switch: CREATE ROLE jinka_switch_a LOGIN PASSWORD '...' IN ROLE ${schema}_switch;

${schemaStatements(schema).join("\n\n")}
`
