// Package stats says whether a difference between two systems is real.
package stats
