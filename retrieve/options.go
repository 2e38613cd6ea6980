package retrieve

import (
	"context"
	"log/slog"
)

// Options configure a [Collection]. The zero value works.
type Options struct {
	// EmbedderName identifies the embedder's model. It is stored with the
	// vectors, and a collection that was made with another model is refused.
	// Default: the embedder's [Named] name, if it has one.
	EmbedderName string

	// Words ranks documents by the words they share with a query. It must be empty,
	// and belongs to the collection from then on. A *bm25.Index of retrieve/bm25
	// fits; its Boosts, such as {"title": 2}, make a [FieldWords] of it, and its Phrases
	// make quotes in a query mean a phrase. Default: only vectors are searched.
	Words Words

	// Sparse makes learned sparse vectors, which then take the place of the words: Words
	// must be a [SparseIndex], such as a *bm25.Index of the variant Dot. The vectors are
	// stored with the passages, and the model's name (see [Named]) with the vectors'. A
	// collection that was made with another model, or without one, is refused. Default:
	// Words reads the texts.
	Sparse SparseEmbedder

	// Normalize brings the scores of a ranking to a common scale, and then the two rankings
	// are fused by their scores ([WeightedSum]) in place of their ranks: [DBSF], [MinMax] or
	// [ZScore]. Scores keep how much better one passage is than the next, so an embedder
	// that is weaker than the words helps where it is sure and does little harm elsewhere.
	// Default: nil, ranks are fused by [RRF] with k = 60.
	Normalize func(scores []float64) []float64

	// DenseWeight and SparseWeight are the weights of the search by vectors and of
	// the search by words in the fusion. If the embedder finds less than the words
	// do, lower DenseWeight: with equal weights the fusion can be worse than BM25
	// alone. Default: if both are 0, both 1, and with Normalize 0.3 and 0.7.
	DenseWeight, SparseWeight float64

	// K is how many documents GetRelevantDocuments returns. Default: 5.
	K int

	// Index makes the index that finds near vectors, which have length 1 and dim
	// elements. It is filled again after each start. Default: an exact one up to 20,000
	// passages, then a graph of retrieve/hnsw, which is stored beside the collection's
	// file.
	Index func(dim int) (Index, error)

	// Tenant returns the tenant that a search belongs to. A document with a tenant
	// in its metadata is found only by that tenant, a document without a tenant by
	// all. Default: only documents without a tenant are found.
	Tenant func(context.Context) string

	// Groups returns the groups that the caller of a search is in. A document with
	// "groups" in its metadata, a list of strings, is found only by a caller who is in
	// one of them, and by none if the list is empty or isn't one of strings. Default:
	// only documents without groups are found.
	Groups func(context.Context) []string

	// ReadOnly opens the file for reading, also while another process writes to it.
	// [Collection.Refresh] reads what was written since. Default: false, the collection
	// is the file's only writer.
	ReadOnly bool

	// Logger receives retrieve.query, retrieve.truncated and retrieve.rebuilt. Default:
	// they are discarded.
	Logger *slog.Logger
}

// Named is an embedder that knows the name of its model.
type Named interface {
	// Name identifies the model: vectors of models with different names cannot
	// be compared.
	Name() string
}

// A Hit is a document's number and its score in one ranking. It is an alias of a
// plain struct, so that an index can implement [Words] without importing this
// package.
type Hit = struct {
	ID    int
	Score float64
}

// Words is an index of texts by their words, safe for concurrent use.
type Words interface {
	Add(id int, text string)
	Remove(id int) bool
	Search(query string, k int) []Hit // best first
}

// A Field is a named part of a passage that is searched by words: its text, or a value of
// its metadata. It is an alias of a plain struct, as [Hit] is.
type Field = struct{ Name, Text string }

// FieldWords is a [Words] that weighs the fields of a passage. If it has names of fields,
// the collection also searches the metadata of these names by words: texts, and lists of
// texts. The field "text" is the passage's text. A *bm25.Index with Options.Boosts is one.
type FieldWords interface {
	Words
	// Fields returns the names of the fields, none if only texts are searched.
	Fields() []string
	// AddFields is Add for a passage of several fields. A name can come twice.
	AddFields(id int, fields ...Field)
	// MatchesFields reports whether a passage is in the index as AddFields would put it
	// there now. It is called only for a [StoredWords].
	MatchesFields(id int, fields ...Field) bool
}

// FilteredWords is a [Words] that looks for the best allowed documents itself, instead of
// ranking all documents for the collection to choose from. A *bm25.Index is one.
type FilteredWords interface {
	Words
	SearchAllowed(query string, k int, allowed func(id int) bool) []Hit // best first; nil allows all
}

// A SparseEmbedder is a model that makes learned sparse vectors, such as SPLADE: a weight,
// 0 or more, for each term that it finds in a text or adds to it.
type SparseEmbedder interface {
	// EmbedSparse returns the weights for each text.
	EmbedSparse(ctx context.Context, texts []string) ([]map[string]float64, error)
	// EmbedSparseQuery returns the weights for a query.
	EmbedSparseQuery(ctx context.Context, query string) (map[string]float64, error)
}

// A SparseIndex is a [Words] that also takes learned sparse vectors. It ranks by their
// inner product with those of the query.
type SparseIndex interface {
	Words
	AddWeights(id int, weights map[string]float64) error
	SearchWeights(weights map[string]float64, k int, allowed func(id int) bool) ([]Hit, error) // best first; nil allows all
}

// StoredWords is a [Words] that can be kept in a file. From the size on at which the
// default index is a graph, the collection keeps it beside its own file, so that a start
// doesn't analyze all texts again. A *bm25.Index is one.
type StoredWords interface {
	Words
	// Len returns the number of texts.
	Len() int
	// Save writes the index to a file, so that a crash leaves the old file or the new
	// one.
	Save(path string) error
	// Restore makes an empty index the one that Save wrote, or fails and changes
	// nothing.
	Restore(path string) error
	// Clear removes all texts: those of a file that doesn't belong to the collection.
	Clear()
	// Matches reports whether a text is in the index as Add would put it there now.
	Matches(id int, text string) bool
}

// depth is how many documents each of the two searches gives to the fusion, at
// least; rrfK is the k of [RRF]; scoresDense is the vectors' weight in the fusion of
// scores, chosen on five sets of questions, see internal/statictrain.
const (
	depth       = 100
	rrfK        = 60
	scoresDense = 0.3
)
