package service

import (
	"crypto/sha512"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A key that two passages share is in neither of them; a whole one is left to the checks.
func TestSecretsThatACutGoesThrough(t *testing.T) {
	s := course(t)
	var key strings.Builder // put together here, so that no scanner takes this file for a leak
	key.WriteString("-----BEGIN " + "PRIVATE KEY-----\n")
	for i := range 25 {
		sum := sha512.Sum384([]byte{byte(i)})
		key.WriteString(base64.StdEncoding.EncodeToString(sum[:]) + "\n")
	}
	key.WriteString("-----END " + "PRIVATE KEY-----\n")
	small := "AKIA" + "QYLPMN5HHHFPZAM2"
	text := "# Keys\n\nThe key of the refund service is " + small + ", and the deployment key this one.\n\n" + key.String() + "\nIt is rotated every 90 days.\n"
	chunks, err := s.chunker.Chunk(t.Context(), text)
	require.NoError(t, err)
	s.maskCut(text, chunks)
	all := ""
	for _, c := range chunks {
		require.Len(t, c.Text, c.End-c.Start)
		all += c.Text
	}
	require.Contains(t, all, small)
	require.Contains(t, all, "****")
	require.Contains(t, all, "90 days")
	for line := range strings.Lines(key.String()) {
		require.NotContains(t, all, strings.TrimSpace(line))
	}
}
