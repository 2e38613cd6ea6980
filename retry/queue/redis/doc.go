// Package redis keeps the jobs of package queue in Redis, so that workers on several
// machines share them.
//
// # The idea
//
// Each step of a job is one Lua script. Redis runs a script without interruption and
// with a clock of its own, so claims and leases don't depend on the clocks of the
// machines, and a job is in exactly one list at any time.
//
// What Redis promises is what its configuration says. With "appendonly yes" and
// "appendfsync always" a job that was acknowledged survives a power failure. With
// "appendfsync everysec" one second may be lost, and without a file a restart loses all.
//
// # Terms
//
//   - Append-only file (also: AOF, appendonly): An append-only file is Redis' journal: it
//     writes each change down before the state in memory is all there is.
//   - Eviction policy (also: maxmemory-policy): An eviction policy is what Redis deletes
//     when its memory is full. For a queue it must be noeviction.
//   - Hash tag: A hash tag is a part of a key in braces, such as {prodai.queue}. In a
//     Redis cluster, keys with the same hash tag are on the same node.
//
// # Pitfalls
//
//   - Don't use a Redis that evicts: because it deletes jobs when its memory is full. Set
//     maxmemory-policy noeviction; then Add fails with Redis' error instead.
//   - Don't share a Redis without a file with a cache: because a restart of the cache is
//     then the end of all jobs.
//   - Don't let a client's read timeout be below two seconds: because a worker that waits
//     for jobs blocks for one second in one command.
//
// # Questions
//
// What happens to my jobs when Redis restarts? Jobs in Redis survive a restart if the
// append-only file is on. Workers go on by themselves: they ask again after a pause,
// and end with an error after queue.WorkerOptions.GiveUp.
//
// # Further reading
//
//   - Redis documentation, "Persistence" and "Scripting with Lua".
package redis
