//go:build !unix

package queue

import "time"

var began = time.Now()

// cpu is the wall time where the system has no getrusage.
func cpu() time.Duration { return time.Since(began) }
