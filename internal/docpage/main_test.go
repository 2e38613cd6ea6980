package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func get(t *testing.T, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	handler("../..").ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestServesTheModule(t *testing.T) {
	code, body := get(t, "/")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "retry/openai")
	require.Less(t, strings.Index(body, "Lecture 1"), strings.Index(body, "Lecture 10"), "it opens at the lectures")
	require.Less(t, strings.Index(body, "Lecture 15"), strings.Index(body, "internal/docpage"))
	code, body = get(t, "/chunk")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "Lecture 10")
	code, _ = get(t, "/nothing/here")
	require.Equal(t, http.StatusNotFound, code)
}

func TestFlags(t *testing.T) {
	require.NoError(t, run(t.Context(), []string{"-h"}, &strings.Builder{}))
	require.Error(t, run(t.Context(), []string{"-dir", t.TempDir()}, &strings.Builder{}))
}

func TestLocalOnly(t *testing.T) {
	h := localOnly(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for host, status := range map[string]int{"127.0.0.1:6060": 418, "localhost": 418, "[::1]:6060": 418, "evil.example": 403, "127.0.0.1.evil.example:80": 403} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, status, w.Code, host)
	}
}
