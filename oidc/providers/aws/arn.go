package aws

import (
	"fmt"
	"regexp"
	"strings"
)

// Limits of a role ARN and its parts (API reference of AssumeRoleWithWebIdentity
// and of CreateRole).
const (
	minRoleARN = 20
	maxRoleARN = 2048
)

var (
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	anyAccount = regexp.MustCompile(`^[A-Za-z0-9_-]{0,64}$`)
	partition  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	roleName   = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	rolePath   = regexp.MustCompile(`^/([!-.0-~]{1,510}/)*$`)
	regionName = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]{2,12}){1,2}-[0-9]{1,2}$`)
)

// An arnPartition is one part of AWS that shares nothing with the others.
type arnPartition struct {
	name         string
	regionPrefix string
	domain       string // of its endpoints
	audience     string // that its OIDC providers list by convention
}

// partitions are those that a job on GitHub can reach; the last one takes every
// region that no other claims. Domains are those of the SDK's endpoint rules.
// sts.amazonaws.com.cn is what aws-actions/configure-aws-credentials documents
// for China; an account may register another audience, hence the audience field.
var partitions = []arnPartition{
	{"aws-cn", "cn-", "amazonaws.com.cn", "sts.amazonaws.com.cn"},
	{"aws-us-gov", "us-gov-", "amazonaws.com", "sts.amazonaws.com"},
	{"aws-eusc", "eusc-", "amazonaws.eu", "sts.amazonaws.com"},
	{"aws", "", "amazonaws.com", "sts.amazonaws.com"},
}

// partitionOf returns the partition by name.
func partitionOf(name string) (arnPartition, bool) {
	for _, p := range partitions {
		if p.name == name {
			return p, true
		}
	}
	return arnPartition{}, false
}

// partitionOfRegion returns the partition that a region belongs to.
func partitionOfRegion(region string) arnPartition {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.regionPrefix) {
			return p
		}
	}
	return arnPartition{} // not reached: the last prefix is empty
}

// A roleARN is the ARN of an IAM role, in parts.
type roleARN struct {
	partition string
	account   string
	path      string // "/" or "/team/"
	name      string
}

// String returns the ARN.
func (r roleARN) String() string {
	return "arn:" + r.partition + ":iam::" + r.account + ":role" + r.path + r.name
}

// assumed returns the ARN that STS gives to a session of the role: without the
// path, with the session's name.
func (r roleARN) assumed(session string) string {
	return "arn:" + r.partition + ":sts::" + r.account + ":assumed-role/" + r.name + "/" + session
}

// parseRoleARN reads the ARN of a role. Partition and account are checked for
// their form only; config says which of them a role may have.
func parseRoleARN(s string) (roleARN, error) {
	if len(s) < minRoleARN || len(s) > maxRoleARN {
		return roleARN{}, fmt.Errorf("it has %d characters; a role arn has %d to %d", len(s), minRoleARN, maxRoleARN)
	}
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" {
		return roleARN{}, fmt.Errorf("it is not of the form arn:PARTITION:iam::ACCOUNT:role/NAME")
	}
	rest, isRole := strings.CutPrefix(parts[5], "role/")
	if !isRole {
		return roleARN{}, fmt.Errorf("it does not name a role: expected \"role/NAME\" at the end")
	}
	slash := strings.LastIndexByte(rest, '/')
	r := roleARN{partition: parts[1], account: parts[4], path: "/" + rest[:slash+1], name: rest[slash+1:]}
	switch {
	case !partition.MatchString(r.partition):
		return roleARN{}, fmt.Errorf("its partition is not one")
	case !anyAccount.MatchString(r.account):
		return roleARN{}, fmt.Errorf("its account is not one")
	case !roleName.MatchString(r.name):
		return roleARN{}, fmt.Errorf("the role's name has characters that iam does not allow")
	case len(r.path) > 512 || !rolePath.MatchString(r.path):
		return roleARN{}, fmt.Errorf("the role's path has characters that iam does not allow")
	}
	return r, nil
}
