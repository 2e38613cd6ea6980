package apierror

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWrite(t *testing.T) {
	w := httptest.NewRecorder()
	SetRetryAfter(w.Header(), 1500*time.Millisecond)
	Write(w, Error{Status: http.StatusTooManyRequests, Message: "slow \"down\"", Type: "rate_limit_error", Code: "rate_limit_exceeded"})
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.Equal(t, "1500", w.Header().Get("retry-after-ms"))
	require.JSONEq(t, `{"error":{"message":"slow \"down\"","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`, w.Body.String())
}

func TestWriteWithoutStatus(t *testing.T) {
	w := httptest.NewRecorder()
	Write(w, Error{Message: "internal error", Type: "server_error", Param: "messages"})
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.JSONEq(t, `{"error":{"message":"internal error","type":"server_error","param":"messages","code":null}}`, w.Body.String())
}
