// Package storetest checks that a store behaves as package store promises: the same tests
// for every database, and for the collection in one process, which is the reference.
//
// # The idea
//
// [Run] makes empty stores by a [Setup], and compares what they do with what the interfaces
// promise: filters with their evaluation in memory, tenants, empty and hostile input,
// partial failures, contexts that end, copies. With Setup.Dying it breaks the connection in
// the middle of an upsert, and looks for each passage that was acknowledged.
//
// # A minimal program
//
// The test of a new database's package gives a constructor, and says what the database
// can't do. [At] makes the setup of a server, with a connection that breaks.
//
//	func TestMine(t *testing.T) {
//		storetest.Run(t, storetest.Setup{
//			New: func(t *testing.T, e embeddings.Embedder) storetest.Subject {
//				return storetest.Open(t, mine.Open(…), e)
//			},
//			NoStringOrder: true,
//		})
//	}
package storetest
