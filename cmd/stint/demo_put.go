package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc/sandbox"
)

// maxStoreReply is how much of the store's answer is read, in bytes.
const maxStoreReply = 64 << 10

// demoPutCommand is the task of the demo: it finds keys and store in its
// environment as any tool of AWS does, and speaks to a store on loopback only.
func demoPutCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:    "put BUCKET/KEY",
		Short:  "put an object into the store of a sandbox",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(cmd *cobra.Command, args []string) error { return demoPut(cmd.Context(), w, args[0]) },
	}
}

func demoPut(ctx context.Context, w world, object string) error {
	store, err := url.Parse(w.getenv(storeVariable))
	if err != nil || !onLoopback(store) {
		return usage("run it as stint demo does, in a sandbox", "%s is not an address on loopback", storeVariable)
	}
	body := []byte("<h1>made by stint demo</h1>\n")
	target := store.JoinPath(object)
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, target.String(), bytes.NewReader(body))
	if err != nil {
		return usage("write it as in site/index.html", "%q is not BUCKET/KEY", object)
	}
	keys := sandbox.Keys{
		AccessKeyID: w.getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: w.getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: w.getenv("AWS_SESSION_TOKEN"),
	}
	sandbox.Sign(req, body, keys, w.getenv("AWS_REGION"), "s3", w.now())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return &failure{exitIncomplete, "the store does not answer", "check that the sandbox still runs"}
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		fmt.Fprintf(w.stdout, "put %s: %s\n", object, strings.ToLower(resp.Status))
		return nil
	}
	return &failure{exitFindings, fmt.Sprintf("the store refuses to put %s: %d %s", object, resp.StatusCode, storeCode(resp.Body)),
		"compare the object with the resources that the grant allows"}
}

// storeCode reads the code of an error of the store.
func storeCode(body io.Reader) string {
	var e struct{ Code string }
	if err := xml.NewDecoder(io.LimitReader(body, maxStoreReply)).Decode(&e); err != nil {
		return "without a reason"
	}
	return e.Code
}
