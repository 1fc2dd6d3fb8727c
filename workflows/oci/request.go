package oci

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Limits of one exchange with a registry.
const (
	maxRequests      = 6 // for one manifest, without those for its token
	maxTokenRequests = 3 // for one token
	maxHeaderBytes   = 64 << 10
	maxTokenBytes    = 128 << 10
)

// fetch asks for a manifest, gets the anonymous token that the registry may want, and goes
// where it is sent. The token is for the host that wanted it.
func (c *Client) fetch(ctx context.Context, method string, at *url.URL, ref Reference) (*http.Response, error) {
	token := ""
	for range maxRequests {
		header := http.Header{"Accept": {strings.Join(mediaTypes, ", ")}}
		if token != "" {
			header.Set("Authorization", "Bearer "+token)
		}
		resp, err := c.send(ctx, method, at, header, ref)
		if err != nil {
			return nil, err
		}
		next, err := redirect(at, resp)
		wants, challenged := bearer(resp.Header)
		switch {
		case err != nil:
		case next != nil:
			if next.Host != at.Host {
				token = ""
			}
			at = next
		case resp.StatusCode == http.StatusUnauthorized && challenged && token == "":
			token, err = c.token(ctx, wants, ref)
		default:
			return resp, nil
		}
		resp.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the registry sends the question round in circles")
}

// token asks whoever the registry names for a token, saying who nobody is: it opens what
// is open to all.
func (c *Client) token(ctx context.Context, wants challenge, ref Reference) (string, error) {
	if wants.scope == "" {
		wants.scope = "repository:" + ref.Repository + ":pull"
	}
	at := wants.tokenURL()
	if at == nil {
		return "", errors.New("the registry names no place to get a token from")
	}
	for range maxTokenRequests {
		resp, err := c.send(ctx, http.MethodGet, at, http.Header{}, ref)
		if err != nil {
			return "", err
		}
		next, err := redirect(at, resp)
		if err == nil && next == nil {
			defer resp.Body.Close()
			return readToken(resp)
		}
		resp.Body.Close()
		if err != nil {
			return "", err
		}
		at = next
	}
	return "", errors.New("the registry sends the question for a token round in circles")
}

func readToken(resp *http.Response) (string, error) {
	switch {
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		return "", errLogin
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("status %d instead of a token", resp.StatusCode)
	}
	text, err := readAll(resp.Body, maxTokenBytes)
	if err != nil {
		return "", err
	}
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(text, &answer) != nil || cmp.Or(answer.Token, answer.AccessToken) == "" {
		return "", errors.New("the answer holds no token")
	}
	token := cmp.Or(answer.Token, answer.AccessToken)
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("the answer holds no token that could be sent")
	}
	return token, nil
}

// send makes one request. A transport follows no redirect and keeps no cookie by itself.
func (c *Client) send(ctx context.Context, method string, at *url.URL, header http.Header, ref Reference) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), nil)
	if err != nil {
		return nil, errors.New("the registry's address is malformed")
	}
	req.Header = header
	req.Header.Set("User-Agent", "stint")
	resp, err := c.way.RoundTrip(req)
	switch {
	case err == nil:
		return resp, nil
	case errors.Is(err, errNotPublic):
		return nil, &hostError{ref.Host, "is not asked: " + errNotPublic.Error()}
	}
	return nil, &hostError{ref.Host, "does not answer"}
}

// redirect returns where an answer sends the question, nil when it is the answer.
func redirect(at *url.URL, resp *http.Response) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	next, err := at.Parse(resp.Header.Get("Location"))
	if err != nil || !askable(next) {
		return nil, errors.New("the registry sends the question to no https address")
	}
	return next, nil
}
