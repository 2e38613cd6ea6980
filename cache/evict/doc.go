// Package evict has the rules by which a full cache chooses what to drop, and replays
// traces of requests against them.
//
// # The problem
//
// A full cache must drop an entry for each new one (lecture 14). A team keeps the most
// recent entries, because everybody does, and hits 33 % of a trace. Another rule hits
// 41 % with the same memory. On the trace of a serving engine the first rule is the
// better one. The rule has to fit the requests, and only a replay shows it.
//
// # The idea
//
// A [Policy] sees one request at a time, and reports whether it had the key. [Replay]
// counts. [Belady] knows the future and so shows what no rule can exceed.
//
// # Terms
//
//   - LRU (also: least recently used): LRU drops the entry that was not used for the
//     longest time. See [NewLRU].
//   - S3-FIFO: S3-FIFO lets a new key wait in a small queue, and keeps it only if it is
//     asked for twice more there. See [NewS3FIFO].
//   - SIEVE: SIEVE keeps one queue in order of arrival, and a hand that passes over it
//     and drops the first entry that was not used since its last visit. See [NewSieve].
//   - W-TinyLFU (also: TinyLFU): W-TinyLFU counts roughly how often each key was asked
//     for, also of keys it doesn't keep, and lets a new key in only if it is asked for
//     more often than the one it would replace. See [NewTinyLFU].
//   - GDSF (also: greedy dual size frequency): GDSF keeps what saves the most money for
//     each byte: frequency × cost ÷ size, plus the age of the cache. See [NewGDSF].
//   - Belady's rule (also: Belady, OPT, MIN): Belady's rule drops the key whose next
//     request is farthest in the future. It needs the whole trace, so it only serves
//     for comparison. See [Belady].
//
// # Measured
//
// The table shows hit rates in per cent, and the number of entries in brackets. OLTP is
// a trace of a database (914,145 requests); "conversation" is the trace of Mooncake,
// 288,500 blocks of prompts. Replay them with
//
//	PRODAI_TRACES=DIR go test ./cache/evict -run Traces -v
//
//	trace (entries)          LRU    SIEVE  S3-FIFO  W-TinyLFU  Belady
//	OLTP (1000)            32.8   32.6     40.8       35.9    53.6
//	OLTP (2000)            42.5   41.2     47.0       42.3    60.4
//	conversation (10000)   21.1   13.2     19.6       17.1    36.6
//	conversation (30000)   32.6   27.6     30.6       23.0    36.6
//
// W-TinyLFU has a fixed window here. Libraries that adapt the window to the trace do
// better than this one on OLTP.
//
// The next table has libraries beside these rules, in one run each: hit rates in per cent
// above, and below the money saved in per cent by 20, 5 and 1 % of the bytes of all
// answers. There the sizes and prices are those of a recorded load (Azure, conversation),
// and the questions follow Zipf's law with exponent .8.
//
//	                     LRU   S3-FIFO  GDSF  GDSF 0.9  otter  ristretto  theine
//	Zipf .9 (1000)      34.4     44.8   41.2      45.6   43.7       40.5    44.4
//	Zipf 1.1 (500)      60.7     68.5   66.7      69.2   68.0       64.1    67.9
//	OLTP (1000)         32.8     40.8   40.6      29.0   39.8       26.9    39.6
//	OLTP (2000)         42.5     47.0   46.8      35.6   45.8       34.7    46.3
//	money, 20 %         58.3     62.9   66.9      68.5   64.1       62.7    63.8
//	money, 5 %          35.9     45.8   47.8      52.2   46.3       47.8    46.3
//	money, 1 %          18.9     30.4   29.8      33.9   29.4       31.3    30.4
//
// "GDSF 0.9" has the aging 0.9. It is the best rule where popularity doesn't change, and
// the worst but one on the trace of a database, whose popular keys change: what was popular
// once stays for too long.
//
// The libraries vary by some tenths from run to run. The command that prints it:
//
//	cd internal/bench && PRODAI_TRACES=DIR go test -v -run 'HitRates|Money' ./cache
//
// # Pitfalls
//
//   - Don't choose a rule by its speed: an answer of a model takes a million times
//     longer than the slowest of them. Do choose by the hit rate on your own trace.
//   - Don't count entries if they differ in size: one long answer can push out a
//     hundred short ones. Do set the room in bytes.
//
// # Questions
//
// Which eviction policy should a response cache use? A response cache should use S3-FIFO
// or W-TinyLFU, because most questions are asked once and a few come back. For blocks of
// prompts in a serving engine LRU is often better: the next turn of a chat comes soon.
//
// When is GDSF the better eviction policy? GDSF is better when answers differ much in
// cost and size, and the money saved counts more than the number of hits.
//
// How fast should a cache forget that an answer was popular? A cache should forget it as
// fast as the popularity changes. Questions about a product are the same for months, so
// GDSFOptions.Aging below 1 saves more; news and tickets change, so 1 is right. Replay a
// trace of your own with both.
package evict
