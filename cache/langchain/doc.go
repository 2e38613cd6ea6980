// Package langchain joins package cache and the cache of langchaingo, in both
// directions.
//
// # The problem
//
// A program uses the cache of langchaingo (llms/cache) in twenty places, and a backend
// for it that a team has written over its own database (lecture 14). The key there has no model
// and no tenant, callers get pointers into the store, and a filtered empty answer is
// stored like any other.
//
// # The idea
//
// A [Backend] lets langchaingo's Cacher keep its answers in any cache.Store, under a key
// with model, tenant and namespace, and only if a cache.Policy allows it. A [Store] lets
// a cache.Model keep its answers in any backend of langchaingo, with their streams and
// their time to live:
//
//	langchaingo's Cacher ─▶ Backend ─▶ cache.Store (memory, disk, Redis)
//	cache.Model ─▶ Store ─▶ a backend of langchaingo (its inmemory, or your own)
//
// # Pitfalls
//
//   - Don't expect the care of cache.Model from a [Backend]: equal calls at once are
//     each sent to the model, and a stream is replayed as one chunk, because
//     langchaingo's Cacher decides both. Do replace the Cacher when you can.
//   - Don't read the backend under a [Store] from elsewhere: it holds whole entries in
//     a form of this package, not plain answers.
//
// # Questions
//
// How do I move from langchaingo's cache to this one? To move from langchaingo's cache,
// first give its Cacher a [Backend] over a cache.Store. Then replace the Cacher by
// cache.New with the same store, one place after the other. Their keys differ, so
// answers are stored anew.
package langchain
