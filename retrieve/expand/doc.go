// Package expand makes retrieved passages larger: it replaces a small passage that was found
// by the larger one around it.
//
// # The idea
//
// Lecture 10. A small passage is found more exactly, because its vector is about one thing. A
// large passage is understood better, because it contains what "it" and "this" refer to. So
// search small passages, and show the model large ones:
//
//	search ─► sentence 17 of page 3 ─► Parents: the section that it is from
//	                                 ─► Window:  sentences 15 to 19
//	                                 ─► Merge:   the section, if half of it was found
//
// # Terms
//
//   - Parent document retrieval (also: small-to-big retrieval): Parent document retrieval
//     searches small passages and returns the larger passages that they were cut from.
//   - Sentence window retrieval (also: sentence window): Sentence window retrieval searches
//     single sentences and returns each with some sentences before and after it.
//   - Auto-merging retrieval (also: hierarchical retrieval): Auto-merging retrieval replaces
//     small passages by their parent if a large share of its parts was found.
//
// # The three ways
//
// The table compares the three ways.
//
//	         needs                           returns
//	Parents  ids of parents, a lookup        the parent of each passage
//	Merge    the same                        parents where enough children were found
//	Window   the texts of the sources        the passage with the sentences around it
//
// Package chunk cuts for all three: NewParents and SentenceWindows, and ParentDocuments sets
// the metadata.
//
// # A minimal program
//
//	tree, err := expand.NewTree(append(children, parents...)...) // of chunk.ParentDocuments
//	if err != nil {
//		return err
//	}
//	x, err := expand.NewParents(tree.Lookup)
//	if err != nil {
//		return err
//	}
//	large, err := x.Expand(ctx, question, found)
//
// # Pitfalls
//
//   - Don't forget access rules: a parent is fetched by its id, without a search that
//     checks the tenant. Here a parent of another owner than its child is never returned.
//   - Don't rerank or measure before and after with the same k: five large passages are
//     many more tokens than five small ones. Compare at an equal budget.
//
// # Questions
//
// What is the difference between parent document retrieval and a sentence window? Parent
// document retrieval returns a section with fixed borders, such as a chapter of a manual. A
// sentence window moves with the sentence that was found, so the sentence is always in
// its middle.
//
// # Lab
//
// The lab has a stage that expands passages:
//
//	go run ./examples/lab10-rag
package expand
