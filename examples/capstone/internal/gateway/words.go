package gateway

import (
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/retrieve/rag"
	"github.com/prodailabs/prodai/trace"
)

// An explained is an event with what it means for a reader.
type explained struct {
	service.Event
	Plain string `json:"plain"`
	Tone  string `json:"tone,omitempty"` // good, warn or bad
}

// explain puts an event into plain words.
func explain(e service.Event) explained {
	say, ok := sentences[e.Name]
	if !ok {
		return explained{Event: e, Plain: e.Name}
	}
	plain, tone := say(e)
	return explained{e, plain, tone}
}

// text returns an attribute of an event as it is shown, or other if it is absent.
func text(e service.Event, key, other string) string {
	v, ok := e.Attrs[key]
	if s := fmt.Sprint(v); ok && v != nil && s != "" {
		return strings.ReplaceAll(s, "_", " ")
	}
	return other
}

// wait returns a duration of an event in words.
func wait(e service.Event, key string) string {
	ms, ok := e.Attrs[key].(float64)
	switch {
	case !ok:
		return "a moment"
	case ms >= 1000:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// sentences says what each event of the library means, and how good or bad it is.
var sentences = map[string]func(service.Event) (plain, tone string){
	trace.EventCacheHit: func(e service.Event) (string, string) {
		if text(e, trace.AttrKind, "") == "shared" {
			return "Another request asked the same at this moment. Both share one answer.", "good"
		}
		return "The same question was asked before. Its answer came from the cache, and no model was asked.", "good"
	},
	trace.EventCacheMiss: func(e service.Event) (string, string) {
		if reason := text(e, trace.AttrReason, ""); reason != "" {
			return "The cache was not used: " + reason + ".", ""
		}
		return "The cache has no answer to this question yet, so the model was asked.", ""
	},
	trace.EventCacheStore: func(e service.Event) (string, string) {
		if reason := text(e, trace.AttrReason, ""); reason != "" {
			return "The answer was not kept in the cache: " + reason + ".", ""
		}
		return "The answer was kept in the cache for the next time.", ""
	},
	trace.EventRetryAttempt: func(e service.Event) (string, string) {
		return fmt.Sprintf("Attempt %s failed (%s). The next one follows after %s.", text(e, trace.AttrAttempt, "1"), text(e, trace.AttrClass, "unknown"), wait(e, trace.AttrDelay)), "warn"
	},
	trace.EventRetryGiveUp: func(e service.Event) (string, string) {
		return fmt.Sprintf("The model could not be reached after %s attempts (%s).", text(e, trace.AttrAttempt, "some"), text(e, trace.AttrClass, "unknown")), "bad"
	},
	trace.EventRetryHedge: func(service.Event) (string, string) {
		return "The first attempt was slow, so a second one was started beside it.", "warn"
	},
	trace.EventRetryGuess: func(e service.Event) (string, string) {
		return "An error came without its code. It was taken for one of the kind " + text(e, trace.AttrClass, "unknown") + ".", "warn"
	},
	trace.EventRetryNested: func(service.Event) (string, string) {
		return "A client below repeated its request by itself, so attempts multiply.", "warn"
	},
	trace.EventRetryResume: func(e service.Event) (string, string) {
		return "The answer broke off. The model is asked to continue it after " + wait(e, trace.AttrDelay) + ".", "warn"
	},
	trace.EventRetryBreaker: func(e service.Event) (string, string) {
		return "The circuit breaker, which stops calls to a model that keeps failing, is now " + text(e, trace.AttrState, "changed") + ".", "warn"
	},
	trace.EventLimitWait: func(e service.Event) (string, string) {
		return fmt.Sprintf("The limit of %s is reached for the moment. The call waits %s.", text(e, trace.AttrDimension, "requests"), wait(e, trace.AttrDelay)), "warn"
	},
	trace.EventLimitDeny: func(e service.Event) (string, string) {
		return "The limit of " + text(e, trace.AttrDimension, "requests") + " is reached, so the call was refused.", "bad"
	},
	trace.EventLimitStore: func(service.Event) (string, string) {
		return "The place where limits are counted does not answer. This process counts alone.", "warn"
	},
	trace.EventRoutePick: func(e service.Event) (string, string) {
		return "The question goes to " + text(e, trace.AttrTarget, "a target") + ".", ""
	},
	trace.EventRouteTarget: func(e service.Event) (string, string) {
		return "The target " + text(e, trace.AttrTarget, "") + " is now " + text(e, trace.AttrState, "another") + ".", "warn"
	},
	trace.EventRouteCanary: func(e service.Event) (string, string) {
		return "The rollout of a new version is " + text(e, trace.AttrState, "in another state") + ".", "warn"
	},
	trace.EventRouteShadow: func(service.Event) (string, string) {
		return "The budget for copies of questions is spent.", "warn"
	},
	trace.EventGuardVerdict: verdict,
	trace.EventRetrieveTruncated: func(service.Event) (string, string) {
		return "The end of the collection's file was damaged, and was cut off.", "warn"
	},
	trace.EventRetrieveFallback: func(service.Event) (string, string) {
		return "A step after the search failed or took too long. The passages are in the order of the search.", "warn"
	},
	trace.EventRetrieveRebuilt: func(service.Event) (string, string) {
		return "An index that was stored beside the collection's file could not be used. It is built again.", "warn"
	},
	trace.EventRetrieveQuery: func(e service.Event) (string, string) {
		if text(e, trace.AttrCount, "") == "0" {
			return "The search looked by meaning and by words, and found nothing of this kind.", ""
		}
		return fmt.Sprintf("The search looked by meaning and by words, and compared %s passages.", text(e, trace.AttrCount, "some")), ""
	},
	trace.EventTokensDropped: func(e service.Event) (string, string) {
		return "The prompt was too long. " + text(e, trace.AttrCount, "Some") + " parts were left out.", "warn"
	},
	trace.EventTraceRejected: func(e service.Event) (string, string) {
		return "The receiver of traces refused " + text(e, trace.AttrCount, "some") + " of the spans that it was sent.", "warn"
	},
	trace.EventUsageInvalid: func(service.Event) (string, string) {
		return "The provider reported token counts that cannot be right.", "warn"
	},
}

// stages says what a guard's check looked at.
var stages = map[string]string{"input": "your question", "document": "a passage", "tool result": "a tool's result", "tool call": "a tool's call", "output": "a text that leaves the server"}

// verdict says what the guard found, and what it did.
func verdict(e service.Event) (plain, tone string) {
	where := text(e, trace.AttrStage, "")
	if s, ok := stages[where]; ok {
		where = s
	} else {
		where = "a text"
	}
	found := text(e, trace.AttrReason, text(e, trace.AttrCheck, "something"))
	switch text(e, trace.AttrPolicy, "") {
	case "block":
		return fmt.Sprintf("The guard blocked %s: %s.", where, found), "bad"
	case "redact":
		return fmt.Sprintf("The guard removed something from %s: %s.", where, found), "warn"
	case "shadow":
		return fmt.Sprintf("A guard on trial would have acted on %s: %s.", where, found), ""
	}
	if strings.HasPrefix(where, "a passage") {
		return fmt.Sprintf("The guard noticed a passage (%s) and allowed this: a passage is material for the model, never an order.", found), ""
	}
	return fmt.Sprintf("The guard noticed %s (%s) and allowed this.", where, found), ""
}

// about says in plain words what answers.
func about(backend string) string {
	if backend == rag.ExtractiveModel {
		return "No language model is set, so nothing is written: the answer quotes the passages that fit the question, word for word. It cannot invent, and it cannot combine or explain. To let a model write the answer from the same passages, start the program with OPENAI_API_KEY, or with OPENAI_BASE_URL for a model on your own machine."
	}
	return "The language model " + backend + " wrote this answer from the passages below. Each citation was compared with its passage. A sentence without a citation, or with one that does not fit, is marked: do not trust it without reading."
}
