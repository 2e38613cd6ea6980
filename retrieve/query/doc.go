// Package query changes a question before the search, so that the search finds more.
//
// # The idea
//
// Lecture 10. Users write questions, and documents contain answers, in other words. A language
// model can bring the two together before the search: it writes other versions of the
// question, an answer that could be in the documents, a more general question, simpler
// ones, or a filter:
//
//	            ┌─► question          ─► search ─┐
//	question ───┼─► another version   ─► search ─┼─► RRF ─► the k best
//	            └─► an invented answer ─► search ─┘
//
// Every transform costs a model's call before the search begins, which is often longer than
// the search. So measure first what the plain question misses.
//
// # Terms
//
//   - Query transformation (also: query rewriting, query expansion): A query transformation
//     makes one or several search queries of a question.
//   - Multi-query: Multi-query searches with several versions of a question, and fuses the
//     rankings.
//   - HyDE (also: hypothetical document embeddings): HyDE searches with an invented answer,
//     because answers are more similar to passages than questions are.
//   - Step-back prompting (also: step back): Step-back prompting adds a more general question
//     to the search, whose answer explains the specific one.
//   - Query decomposition (also: sub-questions): Query decomposition cuts a question into
//     simpler ones, each of which one passage can answer.
//   - Self-query (also: self-querying retriever): Self-query lets a model turn conditions in
//     a question, such as a year or a language, into a metadata filter.
//
// # The transforms
//
// The table lists the transforms.
//
//	            searches with                    good for
//	Rewrite     one better query                 chatty questions
//	MultiQuery  the question and 3 versions      other words than the documents'
//	HyDE        the question and an answer       short questions, dense search
//	StepBack    the question and its background  very specific questions
//	Decompose   the question and its parts       comparisons, several facts
//	SelfQuery   a query and a filter             dates, languages, kinds in the question
//
// [Retriever] searches with all queries and fuses the rankings; [NewEnsemble] fuses several
// searchers. If the model fails, the search goes on with the question alone.
//
// # A minimal program
//
//	versions, err := query.NewMultiQuery(model, nil)
//	if err != nil {
//		return err
//	}
//	r, err := query.NewRetriever(collection, versions, nil)
//	if err != nil {
//		return err
//	}
//	passages, err := r.GetRelevantDocuments(ctx, "How do I get my money back?")
//
// # Pitfalls
//
//   - Don't search with the transformed queries alone: a model can drop a code or a name. All
//     transforms but [Rewrite] keep the question as the first query.
//   - Don't let a model write the filter of a tenant: [SelfQuery] knows only the fields that
//     you list, and the search adds the conditions of access itself.
//   - Don't use HyDE for codes and numbers: an invented answer has invented ones.
//
// # Questions
//
// Which query transformation should I use? Use none at first, and look at the questions whose
// passage isn't found. If they use other words than the documents, try multi-query. If they
// ask for several facts, try decomposition. If they name dates or kinds, try self-query.
//
// Is a filter written by a model safe? A filter of [SelfQuery] is parsed into a tree and
// compared with your fields, and its values are never read as text of a database's language.
// The model can choose a wrong condition, so an empty result is searched again without it.
//
// # Lab
//
// The lab shows what queries of another version find beside the question:
//
//	go run ./examples/lab10-rag
package query
