package suite

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProgressBar(t *testing.T) {
	var b strings.Builder
	bar := ProgressBar(&b, 4)
	bar(Progress{Done: 1, Elapsed: time.Second})
	bar(Progress{Done: 2, Elapsed: time.Second + time.Millisecond}) // too soon
	bar(Progress{Done: 3, Errors: 1, Elapsed: 3 * time.Second})
	bar(Progress{Done: 4, Errors: 1, Elapsed: 3 * time.Second})
	lines := strings.Split(b.String(), "\r")
	require.Len(t, lines, 4)
	require.Equal(t, "[======                  ] 1/4, 3s left", strings.TrimSpace(lines[1]))
	require.Equal(t, "[==================      ] 3/4, 1 errors, 1s left", strings.TrimSpace(lines[2]))
	require.Equal(t, "[========================] 4/4, 1 errors", strings.TrimSpace(lines[3]))
	require.True(t, strings.HasSuffix(b.String(), "\n"))
}
