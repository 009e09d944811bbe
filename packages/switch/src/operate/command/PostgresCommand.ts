/** `jinka journal postgres`: what an administrator of a PostgreSQL runs before a switch keeps its journal there. */
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { schemaText } from "../../journal/postgres/PostgresSchema.ts"
import { CommandFailed } from "../Exit.ts"

const schema = Flag.String("schema").pipe(
  Flag.withDescription("Schema of the tables, as `journal.postgres.schema` names it"),
  Flag.withDefault("jinka")
)

/** `jinka journal postgres`. */
export const postgres = Command.make("postgres", { schema }, ({ schema }) =>
  /^[a-z_][a-z0-9_]{0,47}$/.test(schema)
    ? Console.log(schemaText(schema))
    : Effect.fail(
        new CommandFailed({
          exit: "usage",
          says: `--schema: a schema's name has 1 to 48 small letters, digits and underscores.`
        })
      )
).pipe(
  Command.withDescription(
    "Prints the SQL that makes the tables, roles and rights of journals in PostgreSQL. An administrator runs it once in the database that `journal.postgres.url` names; the switch itself needs no right to make or change tables. Running it again changes nothing."
  ),
  Command.withShortDescription("Print the SQL that PostgreSQL needs for journals"),
  Command.withExamples([
    {
      command:
        "jinka journal postgres | psql --single-transaction -v ON_ERROR_STOP=1 postgres://admin@db.example/jinka",
      description: "Make the tables"
    }
  ])
)
