// Package vecquant makes vectors small: 2 to 32 times, and more.
//
// # The lecture
//
// Lecture 13. A million vectors of 1,536 float32 numbers are 6 GB, and a search that
// compares a query with all of them reads 6 GB. Memory costs money, and reading it
// costs time: a processor waits for memory far longer than it computes. But the
// numbers are more exact than the question. Which of two passages is nearer does
// not depend on the seventh digit of a coordinate, and mostly not on the third.
//
// Quantization stores each vector as a short code. The code represents a vector
// near the true one, and distances are computed from the codes.
//
//	quantizer     bytes for 384 elements   what it keeps
//	(float32)     1,536
//	[Float16]       768                    3 decimal digits
//	[Int8]          388                    steps of 1/127 of the largest element
//	[Product]        96 (4 elements each)  the nearest of 256 typical parts
//	[Binary]         48                    the signs
//
// # Rescoring
//
// A code ranks nearly right, not right. So a search takes two steps: find more
// candidates than are wanted by their codes, then rank those few by the vectors
// themselves, which may lie on a disk. On the 2,000 test vectors of this package,
// the 10 best by product codes of 16 bytes contain 5 of the true 10; the 40 best
// contain 9 of them:
//
//	go test -v -run Golden ./retrieve/vecquant
//
// prints this for each quantizer, beside faiss.
//
// # Using it
//
//	x, err := vecquant.NewInt8(384)
//	codes, err = x.Encode(codes, vector) // for each vector
//	s, err := x.Query(query, vecquant.MetricDot)
//	err = s.Scores(codes, scores)        // the larger, the nearer
//
// [Product] has to learn its typical parts first, from vectors like those to come:
//
//	x, err := vecquant.TrainProduct(sample, &vecquant.ProductOptions{Parts: 96})
//
// The query stays exact: only one side of the comparison has an error. That is the
// asymmetric distance.
//
// # Pitfalls
//
//   - Codes of different quantizers, or of codebooks learned twice, can't be
//     compared. Store the quantizer with the codes: [Product.MarshalBinary].
//   - Recall is a property of the data. Measure it on yours, with rescoring.
//   - [Binary] needs elements around 0. If all are positive, all codes are equal.
//   - A product quantizer learned from last year's documents doesn't fit this
//     year's. Learn it again when the error of new vectors grows.
//   - [MetricCosine] needs vectors of length 1 before encoding: [Normalize].
//
// # Exercises
//
//  1. Plot recall@10 against bytes a vector, with and without rescoring.
//  2. Shift all vectors by a constant. Which quantizers suffer, and why?
//  3. How many training vectors does [TrainProduct] need before the error stops
//     falling?
//
// # Further reading
//
//   - Jégou, Douze, Schmid: "Product quantization for nearest neighbor search",
//     TPAMI 2011.
//   - Ge, He, Ke, Sun: "Optimized product quantization", TPAMI 2014.
//   - Arthur, Vassilvitskii: "k-means++: the advantages of careful seeding", 2007.
package vecquant
