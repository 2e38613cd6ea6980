// Package redis keeps the answers of package cache in Redis, so that many processes
// share them.
//
// # The problem
//
// Ten instances of a service have a cache each (lecture 14). A question is asked ten
// times before all of them know its answer, and a deployment empties all ten caches at
// once. Then every instance misses the same popular question at the same moment.
//
// # The idea
//
// A [Store] keeps each answer under its key in Redis, until its time to live ends.
// On a miss, one process takes a lock on the key and asks the model; the others wait
// for its answer:
//
//	process 1 ── miss ─▶ lock ─▶ model ─▶ store ─▶ unlock
//	process 2 ── miss ─▶ locked: wait ───▶ found
//	process 3 ── miss ─▶ locked: wait ───▶ found
//
// The lock ends by itself after cache.Options.LockWait, so a process that dies holds up
// the others for no longer. Redis that is down never fails a call: the model is asked.
//
// # Terms
//
//   - Redis: Redis is a database in memory that many processes can use over the
//     network.
//   - Lock (also: distributed lock, lease): A lock is a key in Redis that only one
//     process can set. It ends after a time, and only its owner deletes it earlier.
//
// # Pitfalls
//
//   - Don't use a Redis client with long timeouts: each call waits for it before it
//     asks the model. Set short timeouts, MaxRetries -1 and DialerRetries 1.
//   - Don't use a Redis without a memory limit. Set maxmemory and the policy
//     allkeys-lfu or allkeys-lru, so that old answers make room.
//   - Don't share a prefix between tests and production: give each its own
//     Options.Prefix.
//
// # Questions
//
// How do I share cached answers between servers with Redis? To share cached answers
// between servers, pass redis.New(client, nil) as cache.Options.Store, and set
// cache.Options.Model. Each server then finds what any of them has stored.
//
// Does every server call the model when a popular entry expires? When a popular entry
// expires, one server calls the model and the others wait for its answer, because the
// store has a lock. With cache.Options.StaleWhileRevalidate they don't even wait.
package redis
