// Package storetest checks that a store of package queue keeps its promises, as
// testing/slogtest does for handlers of log/slog. Its checks run against queue.Memory,
// queue.Journal and the store in Redis.
//
// # A minimal program
//
//	func TestMyStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Subject {
//			return storetest.Subject{Store: openMyStore(t), Now: time.Now, Pass: time.Sleep}
//		})
//	}
package storetest
