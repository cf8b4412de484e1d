-- A BRIN index knows, for each sixteen pages of its table, the times that are in there. Where the look that finds them is interrupted (by a
-- crash, or by whoever needs the table more than autovacuum does) it leaves a placeholder that is never replaced; and from the first of
-- them on, PostgreSQL 18 takes every later range for one that may hold what is sought: half a table was read instead of four pages, a second
-- instead of two milliseconds (5,000,000 orders). So each range is looked at once more, for good, soon after it is full. See
-- docs/decisions/0016-sealed-ranges.md.

create table sealed_ranges (
  index_name text primary key,
  filenode   oid not null,                        -- of the table: one that was rewritten begins anew
  blocks     bigint not null                      -- whatever is before this block is known for good
);

-- Goes on where it stood, over up to so many ranges; answers how many it did. A table that is being vacuumed has to wait.
create function seal_ranges(most integer) returns integer language plpgsql volatile set lock_timeout = '20ms' as $$
declare
  open_blocks constant bigint := 64;              -- at the end of a table, where rows are being added
  i record;
  block bigint;
  done integer := 0;
begin
  delete from sealed_ranges s where to_regclass(s.index_name) is null;
  for i in
    select c.oid as id, c.oid::regclass::text as name, pg_relation_filenode(x.indrelid) as filenode,
           coalesce((select o.option_value::bigint from pg_options_to_table(c.reloptions) o where o.option_name = 'pages_per_range'), 128) as width,
           pg_relation_size(x.indrelid) / current_setting('block_size')::bigint - open_blocks as full_blocks,
           s.filenode as sealed_filenode, s.blocks as sealed_blocks
      from pg_class c
      join pg_am a on a.oid = c.relam and a.amname = 'brin'
      join pg_index x on x.indexrelid = c.oid
      left join sealed_ranges s on s.index_name = c.oid::regclass::text
     where c.relkind = 'i' and c.relnamespace = (select t.relnamespace from pg_class t where t.oid = 'orders'::regclass)
  loop
    block := case when i.sealed_filenode = i.filenode then i.sealed_blocks else 0 end;
    continue when done >= most or block + i.width > i.full_blocks;
    begin
      while done < most and block + i.width <= i.full_blocks loop
        perform brin_desummarize_range(i.id, block), brin_summarize_range(i.id, block);
        block := block + i.width;
        done := done + 1;
      end loop;
      insert into sealed_ranges as s (index_name, filenode, blocks) values (i.name, i.filenode, block)
      on conflict (index_name) do update set filenode = excluded.filenode, blocks = excluded.blocks;
    exception when lock_not_available then
      continue;
    end;
  end loop;
  return done;
end $$;
