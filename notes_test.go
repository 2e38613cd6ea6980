package prodai_test

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai"
)

func TestNotesHoldEveryLecturePackage(t *testing.T) {
	for _, dir := range []string{"chunk", "eval", "guard", "retrieve", "cache", "retry", "trace"} {
		data, err := fs.ReadFile(prodai.Notes, dir+"/doc.go")
		require.NoError(t, err)
		require.Contains(t, string(data), "# The lecture")
	}
}

func ExampleNotes() {
	data, err := prodai.Notes.ReadFile("chunk/doc.go")
	fmt.Println(len(data) > 0, err)
	// Output: true <nil>
}
