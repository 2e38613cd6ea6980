package pgvector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
)

// Options configure a [DB]. The zero value works.
type Options struct {
	// Schema is the schema of the table. Default: the first of the search path.
	Schema string

	// EFSearch is how many candidates a search through an HNSW index keeps: the larger,
	// the better its recall and the slower. Default: 100. The most is 1,000.
	EFSearch int

	// Probes is how many clusters a search through an IVFFlat index looks at. Default: 10.
	Probes int
}

// An Index is a kind of index on the vectors.
type Index uint8

// The kinds of index.
const (
	IndexNone    Index = iota // exact: each search compares all vectors
	IndexHNSW                 // a graph; at any time, up to 2,000 dimensions
	IndexIVFFlat              // clusters of the present rows; make it after they are in
)

// A DB is a table of PostgreSQL with the columns id, content, metadata (jsonb) and
// embedding. It implements [store.Database].
type DB struct {
	pool  *pgxpool.Pool
	o     Options
	dim   int
	table string // quoted
	name  string // of the index, quoted
}

var _ store.Database = (*DB)(nil)

// Open returns the table with this name, and makes it if there is none. It makes the
// extension "vector" too if it is missing, for which the database user needs the right. It
// fails with [store.ErrSchema] if the table has other columns, or vectors of another
// length than dim.
func Open(ctx context.Context, pool *pgxpool.Pool, table string, dim int, o *Options) (*DB, error) {
	if pool == nil || table == "" || strings.ContainsRune(table, 0) || len(table) > 50 {
		return nil, fmt.Errorf("%w: the pool is nil or the table's name is %q, want 1 to 50 bytes", store.ErrOption, table)
	}
	if dim < 1 || dim > 16000 {
		return nil, fmt.Errorf("%w: the vectors have %d dimensions, want 1 to 16000", store.ErrOption, dim)
	}
	d := &DB{pool: pool, dim: dim}
	if o != nil {
		d.o = *o
	}
	if d.o.EFSearch < 0 || d.o.EFSearch > 1000 || d.o.Probes < 0 || strings.ContainsRune(d.o.Schema, 0) {
		return nil, fmt.Errorf("%w: EFSearch is %d, Probes %d, Schema %q", store.ErrOption, d.o.EFSearch, d.o.Probes, d.o.Schema)
	}
	if d.o.EFSearch == 0 {
		d.o.EFSearch = 100
	}
	if d.o.Probes == 0 {
		d.o.Probes = 10
	}
	name := pgx.Identifier{table}
	if d.o.Schema != "" {
		name = pgx.Identifier{d.o.Schema, table}
	}
	d.table, d.name = name.Sanitize(), pgx.Identifier{table + "_embedding"}.Sanitize()
	return d, d.create(ctx)
}

func (d *DB) create(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		// Two programs that start at once would otherwise collide.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(7420137, hashtext($1))", d.table); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS vector"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS `+d.table+` (
			id text COLLATE "C" PRIMARY KEY, content text NOT NULL, metadata jsonb NOT NULL, embedding vector(`+strconv.Itoa(d.dim)+`) NOT NULL)`)
		return err
	})
	if err != nil {
		return fault(ctx, "create the table", err)
	}
	rows, err := d.pool.Query(ctx, `SELECT attname::text || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute
		WHERE attrelid = $1::regclass AND attname = ANY('{id,content,metadata,embedding}') ORDER BY attname`, d.table)
	if err != nil {
		return fault(ctx, "look at the table", err)
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fault(ctx, "look at the table", err)
	}
	got, want := strings.Join(columns, ", "), fmt.Sprintf("content text, embedding vector(%d), id text, metadata jsonb", d.dim)
	if got != want {
		return fmt.Errorf("%w: table %s has the columns %s, want %s", store.ErrSchema, d.table, got, want)
	}
	return nil
}

// Dim returns the number of elements of a vector.
func (d *DB) Dim() int { return d.dim }

// MaxBatch returns how many records one call takes.
func (d *DB) MaxBatch() int { return 1000 }

// BuildIndex replaces the index on the vectors by one of a kind. Writes wait meanwhile. The
// number of clusters of IVFFlat follows pgvector's advice: rows/1000, or the square root of
// the rows above a million.
func (d *DB) BuildIndex(ctx context.Context, kind Index) error {
	if kind > IndexIVFFlat {
		return fmt.Errorf("%w: there is no index of kind %d", store.ErrOption, kind)
	}
	err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		index := pgx.Identifier{d.o.Schema}.Sanitize() + "." + d.name
		if d.o.Schema == "" {
			index = d.name
		}
		if _, err := tx.Exec(ctx, "DROP INDEX IF EXISTS "+index); err != nil || kind == IndexNone {
			return err
		}
		if kind == IndexHNSW {
			_, err := tx.Exec(ctx, "CREATE INDEX "+d.name+" ON "+d.table+" USING hnsw (embedding vector_cosine_ops)")
			return err
		}
		var lists int
		err := tx.QueryRow(ctx, "SELECT greatest(10, CASE WHEN count(*) <= 1000000 THEN count(*)/1000 ELSE sqrt(count(*)) END)::int FROM "+d.table).Scan(&lists)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, fmt.Sprintf("CREATE INDEX %s ON %s USING ivfflat (embedding vector_cosine_ops) WITH (lists = %d)", d.name, d.table, lists))
		return err
	})
	return fault(ctx, "build the index", err)
}

// Upsert writes all records or none.
func (d *DB) Upsert(ctx context.Context, records []retrieve.Record) error {
	ids, texts, metas, vectors := make([]string, len(records)), make([]string, len(records)), make([]string, len(records)), make([]string, len(records))
	for i, r := range records {
		meta, err := json.Marshal(r.Metadata)
		if err != nil {
			return fmt.Errorf("%w: %w", store.ErrDocument, err)
		}
		// A backslash is written twice in JSON, and then u0000 after it is plain text.
		if strings.ContainsRune(r.PageContent, 0) || strings.Contains(strings.ReplaceAll(string(meta), `\\`, ""), `\u0000`) {
			return fmt.Errorf("%w: %q has a NUL, which PostgreSQL can't store", store.ErrDocument, r.ID())
		}
		ids[i], texts[i], metas[i], vectors[i] = r.ID(), r.PageContent, string(meta), literal(r.Vector)
	}
	_, err := d.pool.Exec(ctx, `INSERT INTO `+d.table+` (id, content, metadata, embedding)
		SELECT u.id, u.content, u.metadata::jsonb, u.embedding::vector FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS u(id, content, metadata, embedding)
		ON CONFLICT (id) DO UPDATE SET content = excluded.content, metadata = excluded.metadata, embedding = excluded.embedding`, ids, texts, metas, vectors)
	return fault(ctx, "upsert", err)
}

// literal returns a vector in the text form of the extension.
func literal(v []float32) string {
	b := []byte{'['}
	for i, x := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, float64(x), 'g', -1, 32)
	}
	return string(append(b, ']'))
}

// Delete removes records by their ids.
func (d *DB) Delete(ctx context.Context, ids []string) (int, error) {
	tag, err := d.pool.Exec(ctx, "DELETE FROM "+d.table+" WHERE id = ANY($1::text[])", storable(ids))
	return int(tag.RowsAffected()), fault(ctx, "delete", err)
}

// storable leaves out what can't be in the table, and what the server refuses to look for.
func storable(ids []string) []string {
	var out []string
	for _, id := range ids {
		if isText(id) {
			out = append(out, id)
		}
	}
	return out
}

// Get returns the records with these ids.
func (d *DB) Get(ctx context.Context, ids []string) ([]retrieve.Record, error) {
	rows, err := d.pool.Query(ctx, "SELECT id, content, metadata::text, 0::float8, embedding::text FROM "+d.table+" WHERE id = ANY($1::text[])", storable(ids))
	return collect(ctx, "get", rows, err)
}

// Scan returns records in the order of their ids.
func (d *DB) Scan(ctx context.Context, cursor string, n int) ([]retrieve.Record, string, error) {
	rows, err := d.pool.Query(ctx, "SELECT id, content, metadata::text, 0::float8, embedding::text FROM "+d.table+" WHERE id > $1 ORDER BY id LIMIT $2", cursor, n+1)
	records, err := collect(ctx, "scan", rows, err)
	if err != nil || len(records) <= n {
		return records, "", err
	}
	return records[:n], records[n-1].ID(), nil
}

// Search returns the k nearest records that meet the condition. An index may give fewer
// than k, since it takes its candidates before the condition is applied; then the search
// is done once more without the index.
func (d *DB) Search(ctx context.Context, vector []float32, k int, where *store.Condition) ([]retrieve.Record, error) {
	q := &query{args: []any{literal(vector), k}}
	sql := "SELECT id, content, metadata::text, 1 - (embedding <=> $1::text::vector), '' FROM " + d.table
	if where != nil {
		sql += " WHERE " + q.condition(where)
	}
	sql += " ORDER BY embedding <=> $1::text::vector LIMIT $2"
	records, indexes, err := d.run(ctx, true, k, sql, q.args)
	if err == nil && indexes > 0 && len(records) < k {
		records, _, err = d.run(ctx, false, k, sql, q.args)
	}
	return records, err
}

// run sends a search, and the settings that hold for it alone, in one round trip. It also
// returns how many indexes the table has beside that of its key.
func (d *DB) run(ctx context.Context, index bool, k int, sql string, args []any) (records []retrieve.Record, indexes int, err error) {
	var b pgx.Batch
	// A plan that PostgreSQL has kept would ignore the first setting.
	b.Queue("SELECT set_config('enable_indexscan', $1, true), set_config('hnsw.ef_search', $2, true), set_config('ivfflat.probes', $3, true), set_config('plan_cache_mode', 'force_custom_plan', true)",
		map[bool]string{true: "on", false: "off"}[index], strconv.Itoa(min(1000, max(k, d.o.EFSearch))), strconv.Itoa(d.o.Probes))
	b.Queue("SELECT count(*) FROM pg_index WHERE indrelid = $1::regclass AND NOT indisprimary", d.table).QueryRow(func(row pgx.Row) error { return row.Scan(&indexes) })
	b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
		records, err = collect(ctx, "search", rows, nil)
		return err
	})
	err = d.pool.SendBatch(ctx, &b).Close() // which reads the results
	return records, indexes, fault(ctx, "search", err)
}

func collect(ctx context.Context, op string, rows pgx.Rows, err error) ([]retrieve.Record, error) {
	if err != nil {
		return nil, fault(ctx, op, err)
	}
	defer rows.Close()
	var out []retrieve.Record
	for rows.Next() {
		var id, content, meta, vector string
		var cosine float64
		if err := rows.Scan(&id, &content, &meta, &cosine, &vector); err != nil {
			return nil, fault(ctx, op, err)
		}
		r := retrieve.Record{Document: schema.Document{PageContent: content, Metadata: map[string]any{}, Score: float32(cosine)}}
		if err := json.Unmarshal([]byte(meta), &r.Metadata); err != nil || r.Metadata == nil {
			return nil, fmt.Errorf("%w: the metadata of row %q is not a JSON object: %w", store.ErrSchema, id, err)
		}
		r.Metadata["id"] = id
		if vector != "" {
			if err := json.Unmarshal([]byte(vector), &r.Vector); err != nil { // the extension's form is JSON's
				return nil, fault(ctx, op, err)
			}
		}
		out = append(out, r)
	}
	return out, fault(ctx, op, rows.Err())
}

// fault says what an error of pgx is about.
func fault(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*store.Error](err); ok {
		return e
	}
	out := &store.Error{Database: "pgvector", Op: op, Err: err}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch server.Code[:min(2, len(server.Code))] {
		case "08", "40", "53", "55", "57": // connection, rollback, resources, not in state, operator
			out.Fault = store.FaultTemporary
		case "22", "23", "54": // data, constraint, limit
			out.Fault = store.FaultRecords
		}
	} else if ctx.Err() == nil && !errors.Is(err, store.ErrSchema) {
		out.Fault = store.FaultTemporary // no answer: the connection is gone
	}
	return out
}
