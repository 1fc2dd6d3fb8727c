package github

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// File returns a file of at most most bytes as it is at a full commit of a repository.
func (c *Client) File(ctx context.Context, owner, repo, path, commit string, most int64) ([]byte, error) {
	name, err := slug(owner, repo)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	var reply struct {
		Type     string `json:"type"`
		Size     int64  `json:"size"`
		Encoding string `json:"encoding"`
		Content  string `json:"content"`
	}
	_, err = c.get(ctx, c.api()+"/repos/"+name+"/contents/"+strings.Join(parts, "/")+"?ref="+url.QueryEscape(commit), &reply)
	if err != nil {
		return nil, failed(fmt.Sprintf("%s of %s", path, name), err)
	}
	if reply.Type != "file" || reply.Encoding != "base64" || reply.Size > most {
		return nil, fmt.Errorf("%s of %s is no file of at most %d bytes", path, name, most)
	}
	b, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(reply.Content, "\n", ""))
	if err != nil || int64(len(b)) != reply.Size {
		return nil, errors.New("the answer is cut off or malformed")
	}
	return b, nil
}
