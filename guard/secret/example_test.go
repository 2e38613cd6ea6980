package secret_test

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/prodailabs/prodai/guard/secret"
)

func ExampleLoad() {
	env := map[string]string{"API_KEY": "s3cr3t"} // a program passes os.LookupEnv
	key, err := secret.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, "API_KEY")
	fmt.Println(key, err)
	fmt.Printf("%#v %x\n", key, key)
	fmt.Println(len(key.Reveal()))
	// Output:
	// [REDACTED] <nil>
	// secret.Value([REDACTED]) [REDACTED]
	// 6
}

func ExampleNewLogHandler() {
	text := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	h, err := secret.NewLogHandler(text, nil)
	if err != nil {
		panic(err)
	}
	slog.New(h).Info("connecting to postgres://app:AgzY1JPFgwyWrG@db.example.net/main", "password", "hunter2", "tries", 3)
	// Output:
	// level=INFO msg="connecting to [URL_PASSWORD]" password=[REDACTED] tries=3
}
