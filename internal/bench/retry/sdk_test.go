package retry_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
)

// TestOfficialSDKRetriesOnce asks through openai-go, whose own two retries are
// on: three attempts of the policy are three requests, not nine.
func TestOfficialSDKRetriesOnce(t *testing.T) {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	client := sdk.NewClient(option.WithAPIKey("none"), option.WithBaseURL(server.URL), option.WithHTTPClient(fault.HTTPClient(nil)))
	p := must(retry.NewPolicy(&retry.Options{Budget: retry.NoBudget, Sleep: func(context.Context, time.Duration) error { return nil }}))
	_, err := retry.Do(context.Background(), p, func(ctx context.Context) (*sdk.ChatCompletion, error) {
		return client.Chat.Completions.New(ctx, sdk.ChatCompletionNewParams{Model: "m", Messages: []sdk.ChatCompletionMessageParamUnion{sdk.UserMessage("hi")}})
	})
	if err == nil || requests.Load() != 3 {
		t.Errorf("%d requests, error %v: want 3 and an error", requests.Load(), err)
	}
}
