//go:build !unix

package growth

import "time"

// processorTime is the time since the process started.
func processorTime() time.Duration { return time.Since(began) }

var began = time.Now()
