package chunk

import "github.com/prodailabs/prodai/internal/docmeta"

// The metadata keys of a document on which chunkers, stores, retrievers and
// guards agree. [Documents] sets the first five and [ParentDocuments] KeyParent
// too; the others come from the metadata that a program gives for a whole source.
const (
	KeyID      = docmeta.ID      // string: stable id of the passage
	KeySource  = docmeta.Source  // string: where the text came from, a path or URL
	KeyStart   = docmeta.Start   // number: byte offset of the passage in the source
	KeyEnd     = docmeta.End     // number: byte offset after the passage
	KeyHeading = docmeta.Heading // string: the headings above, outermost first, joined by " > "
	KeyParent  = docmeta.Parent  // string: id of the larger passage that this one is a part of
	KeyTenant  = docmeta.Tenant  // string: the owner; a retriever never returns another owner's documents
	KeyGroups  = docmeta.Groups  // list of strings: groups of users; a retriever returns the document only to those in one of them
	KeyTrust   = docmeta.Trust   // string: TrustTrusted or TrustUntrusted
)

// The values of [KeyTrust]. A document without the key is untrusted.
const (
	TrustUntrusted = docmeta.TrustUntrusted
	TrustTrusted   = docmeta.TrustTrusted
)

// MetaString returns the string under a key of a document's metadata, and
// whether there is one.
func MetaString(meta map[string]any, key string) (string, bool) { return docmeta.String(meta, key) }

// MetaInt returns the whole number under a key of a document's metadata, and
// whether there is one. Most stores keep metadata as JSON, so a number that was
// written as an int is read as a float64 or a [encoding/json.Number]. MetaInt
// accepts these and every signed integer type that int can represent; a fraction
// or a number outside int's range is not accepted.
func MetaInt(meta map[string]any, key string) (int, bool) { return docmeta.Int(meta, key) }

// MetaSpan returns the place of a document in its source, and whether both
// [KeyStart] and [KeyEnd] are present and in order.
func MetaSpan(meta map[string]any) (Span, bool) {
	start, end, ok := docmeta.Span(meta)
	return Span{start, end}, ok
}

// MetaTrusted reports whether the metadata marks the document as trusted, which
// only the exact value [TrustTrusted] does.
func MetaTrusted(meta map[string]any) bool { return docmeta.IsTrusted(meta) }
