package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/prodailabs/prodai/retrieve"
)

// A Source is what [Copy] reads: a [Store] or a [retrieve.Collection].
type Source interface {
	Scan(ctx context.Context, cursor string, n int) ([]retrieve.Record, string, error)
}

// A Sink is what [Copy] writes: a [Store] or a [retrieve.Collection].
type Sink interface {
	UpsertRecords(ctx context.Context, records []retrieve.Record) (retrieve.Changes, error)
}

// CopyOptions configure [Copy]. The zero value works.
type CopyOptions struct {
	// Batch is how many passages are read and written at once. Default: 100.
	Batch int

	// Cursor is where to begin: the Cursor of a copy that was interrupted. Default: "",
	// at the first passage.
	Cursor string

	// Progress is called after each batch. Default: nil.
	Progress func(Copied)
}

// Copied says how far a copy has come.
type Copied struct {
	Read, Written int
	Failed        []Failure // passages that the sink refuses; Index counts the passages read

	// Cursor is where a copy that was interrupted goes on. All before it is written or
	// among Failed.
	Cursor string
}

// Copy copies all passages of one store to another, with their vectors, so that nothing is
// embedded again: from the collection in one process to a database, or from one database
// to another. Tenants, groups and metadata are copied as they are. What the sink has
// already stays, so that a copy can be repeated, for example to bring over what was written
// meanwhile.
//
// A passage that the sink refuses is set aside, and the copy goes on; the error at the end
// is an [*UpsertError] that names them all. If the source or the sink fails, Copy returns
// what was done, and a call with its Cursor goes on from there.
func Copy(ctx context.Context, from Source, to Sink, o *CopyOptions) (Copied, error) {
	if from == nil || to == nil {
		return Copied{}, fmt.Errorf("%w: the source or the sink is nil", ErrOption)
	}
	if o == nil {
		o = &CopyOptions{}
	}
	if o.Batch < 0 {
		return Copied{}, fmt.Errorf("%w: CopyOptions.Batch is %d, want 0 or more", ErrOption, o.Batch)
	}
	did := Copied{Cursor: o.Cursor}
	for {
		records, next, err := from.Scan(ctx, did.Cursor, cmp.Or(o.Batch, 100))
		if err != nil {
			return did, fmt.Errorf("store: copy: read after %q: %w", did.Cursor, err)
		}
		if len(records) > 0 {
			_, err = to.UpsertRecords(ctx, records)
		}
		var some *UpsertError
		if err != nil && (!errors.As(err, &some) || some.Cause != nil) {
			return did, fmt.Errorf("store: copy: write after %q: %w", did.Cursor, err)
		}
		did.Written += len(records)
		if some != nil {
			did.Written -= len(some.Failed)
			for _, f := range some.Failed {
				f.Index += did.Read
				did.Failed = append(did.Failed, f)
			}
		}
		did.Read += len(records)
		if next != "" && next == did.Cursor {
			return did, fmt.Errorf("%w: the source gives the cursor %q again", ErrOption, next)
		}
		did.Cursor = next
		if o.Progress != nil {
			o.Progress(did)
		}
		if next == "" {
			break
		}
	}
	if len(did.Failed) > 0 {
		return did, &UpsertError{Failed: did.Failed, Total: did.Read}
	}
	return did, nil
}
