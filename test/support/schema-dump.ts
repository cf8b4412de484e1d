import pg from 'pg';

/**
 * The schema of a database as text, from PostgreSQL's own descriptions of it: the npm packages of the server bring no
 * `pg_dump`. `sql/schema.sql` is this text; a test holds it against the migrations.
 */
export async function dumpSchema(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const sections = [await types(client), await tables(client), await indexes(client), await functions(client)];
    const head = '-- The schema after all migrations. Written by `npm run schema`; do not edit.\n';
    return `${[head, ...sections.flat()].join('\n\n').trim()}\n`;
  } finally {
    await client.end();
  }
}

async function texts(client: pg.Client, query: string): Promise<string[]> {
  const { rows } = await client.query<{ text: string }>(query);
  return rows.map((row) => row.text);
}

/** Partitions come and go with time, and are as their tables are. */
const OURS = `n.nspname = 'public' and c.relname not like 'kysely%' and not c.relispartition`;

function types(client: pg.Client): Promise<string[]> {
  return texts(
    client,
    `select format('create type %I as enum (%s);', t.typname, string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)) as text
       from pg_type t join pg_enum e on e.enumtypid = t.oid group by t.typname order by t.typname`,
  );
}

function tables(client: pg.Client): Promise<string[]> {
  return texts(
    client,
    `select format(E'create table %I (\\n%s\\n)%s%s;', c.relname,
              (select string_agg('  ' || line, E',\\n' order by kind, position) from (
                 select 0 as kind, a.attnum::int as position,
                        concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                                  case when a.attidentity = 'a' then 'generated always as identity' end,
                                  case when a.attnotnull then 'not null' end,
                                  case a.attgenerated when 's' then 'generated always as ' || pg_get_expr(d.adbin, d.adrelid) || ' stored'
                                                    else 'default ' || pg_get_expr(d.adbin, d.adrelid) end) as line
                   from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
                  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                 union all
                 select 1, row_number() over (order by k.conname)::int, format('constraint %I %s', k.conname, pg_get_constraintdef(k.oid))
                   from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n') lines),
              ' partition by ' || pg_get_partkeydef(c.oid), ' with (' || array_to_string(c.reloptions, ', ') || ')') as text
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and ${OURS} order by c.relname`,
  );
}

function indexes(client: pg.Client): Promise<string[]> {
  return texts(
    client,
    `select pg_get_indexdef(i.indexrelid) || ';' as text
       from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
      where ${OURS} and not exists (select from pg_constraint k where k.conindid = i.indexrelid) order by 1`,
  );
}

function functions(client: pg.Client): Promise<string[]> {
  return texts(
    client,
    `select trim(trailing E'\\n' from pg_get_functiondef(p.oid)) || ';' as text
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public' order by p.proname`,
  );
}
