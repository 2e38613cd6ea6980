// Package bench measures the library beside its peers. It is a module of its
// own, so that the peers never reach a student's go.mod; each area has a folder
// here with its benchmarks in test files:
//
//	cd internal/bench && go test -bench . ./AREA
package bench
