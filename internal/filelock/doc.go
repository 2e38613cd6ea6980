// Package filelock locks files for one process, on Unix.
package filelock
