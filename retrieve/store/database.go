package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/prodailabs/prodai/retrieve"
)

// A Database is what a subpackage implements for one product. It is the part below
// [Store]: a Database knows no embedder and no tenants, sends each call once, and needs
// no batches larger than MaxBatch. All vectors have length 1, and the metadata is what
// JSON gives back, with the passage's id under "id". It is safe for concurrent use.
type Database interface {
	// Dim returns the number of elements of a vector.
	Dim() int
	// MaxBatch returns how many records or ids one call takes at most.
	MaxBatch() int
	// Upsert writes records, each in place of the one with its id. Where only some
	// are refused, the error is an [*UpsertError] that names them; after any other
	// error all may be missing.
	Upsert(ctx context.Context, records []retrieve.Record) error
	// Delete removes the records with these ids and returns how many there were.
	Delete(ctx context.Context, ids []string) (int, error)
	// Get returns the records with these ids, in any order. Missing ones are left out.
	Get(ctx context.Context, ids []string) ([]retrieve.Record, error)
	// Search returns the k records with the largest cosine that meet the condition,
	// best first, with the cosine as Score. nil is met by all. The vectors may be
	// left out. It fails with [ErrUnsupported] for a condition that the product
	// can't evaluate exactly.
	Search(ctx context.Context, vector []float32, k int, where *Condition) ([]retrieve.Record, error)
	// Scan returns up to n records with vectors, and the cursor for the next call, ""
	// at the end. The first cursor is "".
	Scan(ctx context.Context, cursor string, n int) ([]retrieve.Record, string, error)
}

// Errors of this package and of its subpackages.
var (
	// ErrOption is wrapped by errors for arguments and options that cannot work.
	ErrOption = errors.New("store: invalid option")
	// ErrUnsupported is wrapped by errors for a filter that a database can't evaluate
	// exactly. It is refused instead of answered nearly.
	ErrUnsupported = errors.New("store: the database can't evaluate this filter exactly")
	// ErrDocument is wrapped by errors for a document that can't be stored as it is.
	ErrDocument = errors.New("store: the document can't be stored")
	// ErrSchema is wrapped by errors for a table, class or collection that exists and
	// isn't as it must be, for example with vectors of another length. It is never
	// changed or dropped to fit.
	ErrSchema = errors.New("store: the stored collection doesn't fit")
)

// A Fault says what the error of a database is about, and so what to do next.
type Fault uint8

// The faults.
const (
	FaultOther     Fault = iota // the request can't work: credentials, a missing table
	FaultTemporary              // the same request may work later: overload, a lost connection
	FaultRecords                // the database refuses one of the records, or their size
)

// An Error is the answer of a database that isn't a success.
type Error struct {
	Database string        // "pgvector", for example
	Op       string        // what was tried
	Fault    Fault         // what to do
	Status   int           // of HTTP; 0: none
	After    time.Duration // how long the database asks to wait; 0: it doesn't say
	Err      error
}

// Error names the database, the call and the cause.
func (e *Error) Error() string {
	status := ""
	if e.Status != 0 {
		status = fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	return fmt.Sprintf("store: %s: %s%s: %v", e.Database, e.Op, status, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// HTTPStatus returns the status of the answer, or 0 without one.
func (e *Error) HTTPStatus() int { return e.Status }

// RetryAfter returns how long the database asks to wait, and whether it says so.
func (e *Error) RetryAfter() (time.Duration, bool) { return e.After, e.After > 0 }

// faultOf returns what an error is about.
func faultOf(err error) Fault {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Fault
	}
	if errors.Is(err, ErrDocument) {
		return FaultRecords
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return FaultTemporary
	}
	return FaultOther
}

// An UpsertError names the documents of an upsert that aren't stored. All others are.
// Upserting the failed ones again is always right.
type UpsertError struct {
	Failed []Failure // in the order of the documents
	Total  int       // documents that were given

	// Cause is why the last of them were not tried any more, such as a database
	// that doesn't answer. Default: nil, each was tried.
	Cause error
}

// A Failure is a document that isn't stored.
type Failure struct {
	Index int    // its place among those given
	ID    string // "" if it has none
	Err   error
}

// Error gives the number of documents and the first of them.
func (e *UpsertError) Error() string {
	text := fmt.Sprintf("store: %d of %d documents are not stored", len(e.Failed), e.Total)
	for i, f := range e.Failed {
		if i == 3 {
			return fmt.Sprintf("%s; and %d more, see UpsertError.Failed", text, len(e.Failed)-i)
		}
		text += fmt.Sprintf("; %q: %v", f.ID, f.Err)
	}
	return text
}

// Unwrap returns the errors of the documents.
func (e *UpsertError) Unwrap() []error {
	var all []error
	for i, f := range e.Failed {
		if i == 0 || f.Err != e.Failed[i-1].Err { //nolint:errorlint // the very same error of a whole batch
			all = append(all, f.Err)
		}
	}
	if e.Cause != nil {
		all = append(all, e.Cause)
	}
	return all
}

// IDs returns the ids of the documents that are not stored.
func (e *UpsertError) IDs() []string {
	ids := make([]string, len(e.Failed))
	for i, f := range e.Failed {
		ids[i] = f.ID
	}
	return ids
}
