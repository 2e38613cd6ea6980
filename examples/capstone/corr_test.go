package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

func TestCorrectFile(t *testing.T) {
	in := os.Getenv("JUDGED")
	if in == "" {
		t.Skip("x")
	}
	svc, err := service.New(t.Context(), service.Options{Tenant: evalTenant})
	require.NoError(t, err)
	defer svc.Close(context.Background())
	f, err := os.Open(in)
	require.NoError(t, err)
	out, err := os.Create(os.Getenv("OUT"))
	require.NoError(t, err)
	defer out.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for sc.Scan() {
		var m map[string]any
		require.NoError(t, json.Unmarshal(sc.Bytes(), &m))
		m["question"] = svc.Correct(m["question"].(string))
		require.NoError(t, enc.Encode(m))
	}
}
