// Package ivf finds near vectors by groups: it is an approximate index, an inverted
// file of vectors, which pgvector calls IVFFlat.
//
// # The idea
//
// An exact search compares the query with every vector. If similar vectors lie
// together in groups, most groups can be left out, since everything in them is far
// from the query. This index learns the groups from the vectors, by k-means: each
// group has a center, and each vector belongs to the nearest center. A search
// compares the query with the centers first, and then with the vectors of the few
// nearest groups, which are called lists:
//
//	query ─► centers:  c1  c2  c3  c4  c5 …
//	                       ▲       ▲            the two nearest (probes = 2)
//	                    list 2   list 4
//	                    v7 v9…   v1 v8…   ─► compare these, keep the k best
//
// The nearest vector can lie just across the border of a list that is not looked
// at. So the share of the true nearest that are found, the recall, grows with the
// number of lists that a search looks at. With all lists the search is exact.
//
// # Terms
//
//   - IVF (also: IVFFlat, inverted file index): IVF is an approximate index that
//     groups vectors around centers and searches only the groups nearest to the
//     query. IVFFlat keeps the vectors of a group as they are, without codes.
//   - Centroid (also: center, cluster center): A centroid is the mean of the
//     vectors of a group. It stands for the group when a query is compared.
//   - k-means (also: k-means++, mini-batch k-means): The k-means algorithm moves k
//     centers until each lies in the middle of the vectors that are nearest to it.
//     The variant k-means++ chooses first centers that are far apart; mini-batch
//     k-means looks at some vectors in each step, which is much faster.
//   - Probes (also: nprobe): The number of probes is how many lists a search looks
//     at. More probes find more and take longer. Options.Probes sets it.
//   - Lists (also: nlist, number of clusters): The number of lists is how many
//     groups the index makes. Options.Lists sets it; the default is twice the
//     square root of the number of vectors.
//
// # Learning the groups
//
// The groups are learned when the index reaches 1,000 vectors, and learned anew
// whenever it has grown to four times the number. Below 1,000 vectors the search is
// exact. The Add that reaches the number takes as long as the learning, a second or
// more for a hundred thousand vectors; searches go on meanwhile. New vectors are
// put into the present groups. If the vectors become different ones without
// becoming more, call [Index.Learn].
//
// # A minimal program
//
// The program's middle: add vectors, search, and measure the recall on your own
// queries with more probes.
//
//	index, err := ivf.New(384, nil)
//	if err != nil {
//		return err
//	}
//	for id, v := range vectors {
//		if err := index.Add(id, v); err != nil {
//			return err
//		}
//	}
//	hits, err := index.Search(query, 10, nil)
//	if err != nil {
//		return err
//	}
//	recall, err := index.Recall(queries, 10, &ivf.SearchOptions{Probes: 32})
//
// # Measured
//
// More probes cost time and find more. This table has both, for 50,000 vectors of
// 128 elements around 1,000 centers, in 447 lists; compare the times with each
// other only:
//
//	probes   recall@10   time of a search
//	   1        .66          0.04 ms
//	   4        .86          0.10 ms
//	  16        .95          0.4 ms
//	  64        .99          1 to 4 ms
//
//	go test -run xxx -bench Probes ./retrieve/ivf
//
// # Pitfalls
//
//   - Don't build the groups from the first few vectors of a sorted source: they
//     would know only one subject. Do add in any order and call [Index.Learn] after
//     the load.
//   - Don't expect the recall of one data set on another: do measure it with
//     [Index.Recall] on your own queries, and raise Probes until it is enough.
//   - Don't use Codes without measuring: they lose candidates silently.
//   - Don't use [MetricDot] on vectors of very different lengths: groups are made
//     by distance, and a long vector is a good answer far from its group.
//
// # Questions
//
// How do I choose lists and probes for IVFFlat? To tune IVFFlat, leave the number
// of lists at its default first, and raise the probes until the recall on your own
// queries is what you need, for example 0.98. If that is too slow, make more lists,
// and raise the probes again: smaller lists follow the shape of the data better.
//
// When is IVF better than HNSW? IVF is better than HNSW if the index must be built
// quickly or take little memory: it has no links, and learning the groups is much
// faster than linking every vector. HNSW is better if a very high recall is needed
// at high speed. The lab lab10-indexes shows both on the same data.
//
// # Exercises
//
//  1. Run the lab with -n 2000 and -n 50000. Which index leads at a recall of 0.95,
//     and at 0.99?
//  2. Add 10,000 vectors sorted by their first element, and look at the recall
//     before and after [Index.Learn].
//
// # Further reading
//
//   - Jégou, Douze, Schmid: "Product quantization for nearest neighbor search",
//     TPAMI 2011, where the inverted file is used with codes.
//   - Sculley: "Web-scale k-means clustering", WWW 2010.
//   - Arthur, Vassilvitskii: "k-means++: the advantages of careful seeding", SODA
//     2007.
package ivf
