// Package storetest checks that a store of package queue keeps its promises, as
// testing/slogtest does for handlers of log/slog.
package storetest
