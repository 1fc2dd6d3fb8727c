package githubtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// schemaText is the part of the host's schema that is served: a type, its fields with
// their arguments, and the type of each; "!" marks an argument that has to be given.
const schemaText = `
Query rateLimit RateLimit
Query organization(login:String!) Organization
Query repository(owner:String!,name:String!) Repository
Query node(id:ID!) Node
Query nodes(ids:[ID!]!) [Node]
RateLimit cost Int
RateLimit remaining Int
RateLimit resetAt DateTime
RateLimit limit Int
RateLimit nodeCount Int
Organization id ID
Organization login String
Organization repositories(first:Int,after:String,isArchived:Boolean,orderBy:RepositoryOrder) RepositoryConnection
Organization rulesets(first:Int,after:String,includeParents:Boolean) RepositoryRulesetConnection
RepositoryConnection totalCount Int
RepositoryConnection pageInfo PageInfo
RepositoryConnection nodes [Repository]
PageInfo hasNextPage Boolean
PageInfo endCursor String
Repository id ID
Repository databaseId Int
Repository name String
Repository nameWithOwner String
Repository visibility RepositoryVisibility
Repository isFork Boolean
Repository isArchived Boolean
Repository isEmpty Boolean
Repository pushedAt DateTime
Repository updatedAt DateTime
Repository diskUsage Int
Repository defaultBranchRef Ref
Repository object(expression:String,oid:GitObjectID) GitObject
Repository ref(qualifiedName:String!) Ref
Repository environments(first:Int,after:String) EnvironmentConnection
Repository deployKeys(first:Int,after:String) DeployKeyConnection
Repository rulesets(first:Int,after:String,includeParents:Boolean) RepositoryRulesetConnection
Ref name String
Ref prefix String
Ref target GitObject
Commit oid GitObjectID
Tag oid GitObjectID
Tag name String
Tag target GitObject
GitObject oid GitObjectID
Tree oid GitObjectID
Tree entries [TreeEntry]
TreeEntry name String
TreeEntry mode Int
TreeEntry type String
TreeEntry oid GitObjectID
TreeEntry size Int
TreeEntry object GitObject
Blob oid GitObjectID
Blob byteSize Int
Blob isBinary Boolean
Blob isTruncated Boolean
Blob text String
EnvironmentConnection totalCount Int
EnvironmentConnection pageInfo PageInfo
EnvironmentConnection nodes [Environment]
Environment id ID
Environment name String
DeployKeyConnection totalCount Int
DeployKeyConnection pageInfo PageInfo
DeployKeyConnection nodes [DeployKey]
DeployKey title String
DeployKey key String
DeployKey readOnly Boolean
DeployKey createdAt DateTime
RepositoryRulesetConnection totalCount Int
RepositoryRulesetConnection pageInfo PageInfo
RepositoryRulesetConnection nodes [RepositoryRuleset]
RepositoryRuleset databaseId Int
RepositoryRuleset name String
RepositoryRuleset target RepositoryRulesetTarget
RepositoryRuleset enforcement RuleEnforcement
RepositoryRuleset conditions RepositoryRuleConditions
RepositoryRuleset rules(first:Int,after:String) RepositoryRuleConnection
RepositoryRuleset bypassActors(first:Int,after:String) RepositoryRulesetBypassActorConnection
RepositoryRuleConditions refName RefNameConditionTarget
RepositoryRuleConditions repositoryName RepositoryNameConditionTarget
RefNameConditionTarget include [String]
RefNameConditionTarget exclude [String]
RepositoryNameConditionTarget include [String]
RepositoryNameConditionTarget exclude [String]
RepositoryRuleConnection totalCount Int
RepositoryRuleConnection nodes [RepositoryRule]
RepositoryRule type RepositoryRuleType
RepositoryRulesetBypassActorConnection totalCount Int
RepositoryRulesetBypassActorConnection nodes [RepositoryRulesetBypassActor]
RepositoryRulesetBypassActor actor BypassActor
RepositoryRulesetBypassActor bypassMode RepositoryRulesetBypassActorBypassMode
RepositoryRulesetBypassActor deployKey Boolean
RepositoryRulesetBypassActor organizationAdmin Boolean
RepositoryRulesetBypassActor repositoryRoleName String
App slug String
App name String
Team slug String
Team name String
`

// implements gives the types that an interface or a union may be.
var implements = map[string][]string{
	"Node": {"Repository", "Organization"}, "GitObject": {"Tree", "Blob", "Commit", "Tag"}, "BypassActor": {"App", "Team"},
}

// limits of a query.
const (
	maxNodeCount = 500_000
	maxFirst     = 100
)

type fieldDef struct {
	args map[string]string
	typ  string // without the brackets of a list
	list bool
}

// schema is schemaText by type and field.
var schema = func() map[string]map[string]fieldDef {
	all := map[string]map[string]fieldDef{"Node": {}, "BypassActor": {}}
	for line := range strings.Lines(strings.TrimSpace(schemaText)) {
		words := strings.Fields(line)
		name, args, _ := strings.Cut(strings.TrimSuffix(words[1], ")"), "(")
		def := fieldDef{args: map[string]string{}, typ: strings.Trim(words[2], "[]"), list: words[2][0] == '['}
		for arg := range strings.SplitSeq(args, ",") {
			if key, typ, ok := strings.Cut(arg, ":"); ok {
				def.args[key] = typ
			}
		}
		if all[words[0]] == nil {
			all[words[0]] = map[string]fieldDef{}
		}
		all[words[0]][name] = def
	}
	return all
}()

// A check is a query that is held against the schema and priced.
type check struct {
	doc   *document
	vars  map[string]any
	used  map[string]bool // variables, and fragments after "..."
	err   error
	conns int // connections to fill, of which a hundred are a point
	nodes int
	size  int // the largest first, list of ids or number of single lookups
}

// newCheck validates a query as the host does before it answers anything.
func newCheck(doc *document, vars map[string]any) *check {
	c := &check{doc: doc, vars: vars, used: map[string]bool{}}
	for name := range vars {
		if doc.variables[name] == "" {
			c.fail("Variable $%s was provided invalid value: it is not declared", name)
		}
	}
	for name, typ := range doc.variables {
		if strings.HasSuffix(typ, "!") && vars[name] == nil {
			c.fail("Variable $%s of type %s was provided invalid value", name, typ)
		}
	}
	c.selection("Query", doc.selection, 1, 0)
	for name := range doc.variables {
		if !c.used[name] {
			c.fail("Variable $%s is declared by anonymous query but not used", name)
		}
	}
	for name := range doc.fragments {
		if !c.used["..."+name] {
			c.fail("Fragment %s was defined, but not used", name)
		}
	}
	if c.nodes > maxNodeCount {
		c.fail("This query requests up to %d possible nodes which exceeds the maximum limit of %d", c.nodes, maxNodeCount)
	}
	return c
}

func (c *check) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// points is the price: one for a hundred connections, one at least.
func (c *check) points() int { return max(1, (c.conns+50)/100) }

// selection checks a set on a type of which there may be times many.
func (c *check) selection(typ string, set []selection, times, depth int) {
	if depth > 25 {
		c.fail("too deep")
	}
	for _, s := range set {
		if c.err != nil {
			return
		}
		switch {
		case s.spread != "":
			f, ok := c.doc.fragments[s.spread]
			if !ok {
				c.fail("Fragment %s was used, but not defined", s.spread)
				return
			}
			c.used["..."+s.spread] = true
			c.on(typ, f.on)
			c.selection(f.on, f.selection, times, depth+1)
		case s.on != "":
			c.on(typ, s.on)
			c.selection(s.on, s.selection, times, depth+1)
		case s.name == "__typename":
		default:
			c.field(typ, s, times, depth)
		}
	}
}

func (c *check) on(typ, on string) {
	if schema[on] == nil || typ != on && !slices.Contains(implements[typ], on) && !slices.Contains(implements[on], typ) {
		c.fail("Fragment on %s can't be spread inside %s", on, typ)
	}
}

func (c *check) field(typ string, s selection, times, depth int) {
	def, ok := schema[typ][s.name]
	if !ok {
		c.fail("Field '%s' doesn't exist on type '%s'", s.name, typ)
		return
	}
	c.arguments(typ, s, def)
	many := 1
	switch {
	case strings.HasSuffix(def.typ, "Connection"):
		first, ok := integer(c.value(s.args["first"]))
		if !ok || first < 1 || first > maxFirst {
			c.fail("You must provide a `first` value of 1 to %d on the `%s` connection", maxFirst, s.name)
			return
		}
		c.conns, c.nodes, c.size, many = c.conns+times, c.nodes+times*first, max(c.size, first), first
	case s.name == "nodes" && typ == "Query":
		ids, _ := c.value(s.args["ids"]).([]any)
		if len(ids) > maxFirst {
			c.fail("You may not provide more than %d node ids; you provided %d", maxFirst, len(ids))
		}
		c.nodes, c.size, many = c.nodes+len(ids), c.size+len(ids), max(len(ids), 1)
	case s.name == "node" || s.name == "repository" || s.name == "ref":
		c.size++
	}
	isObject := schema[def.typ] != nil
	if isObject != (len(s.selection) > 0) {
		c.fail("Field '%s' of type '%s' has a wrong selection", s.name, def.typ)
		return
	}
	if isObject {
		c.selection(def.typ, s.selection, times*many, depth+1)
	}
}

func (c *check) arguments(typ string, s selection, def fieldDef) {
	for name, v := range s.args {
		want, ok := def.args[name]
		if !ok {
			c.fail("Field '%s' of '%s' doesn't accept argument '%s'", s.name, typ, name)
			return
		}
		if ref, is := v.(variable); is {
			got := c.doc.variables[string(ref)]
			c.used[string(ref)] = true
			if strings.TrimSuffix(got, "!") != strings.TrimSuffix(want, "!") || strings.HasSuffix(want, "!") && !strings.HasSuffix(got, "!") {
				c.fail("Type mismatch on variable $%s and argument %s (%s / %s)", ref, name, got, want)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(def.args)) {
		if _, given := s.args[name]; strings.HasSuffix(def.args[name], "!") && !given {
			c.fail("Field '%s' is missing required arguments: %s", s.name, name)
		}
	}
}

// value resolves a variable.
func (c *check) value(v any) any {
	if ref, is := v.(variable); is {
		return c.vars[string(ref)]
	}
	return v
}

func integer(v any) (int, bool) {
	switch n := v.(type) {
	case float64:
		return int(n), true
	case json.Number:
		i, err := n.Int64()
		return int(i), err == nil
	}
	return 0, false
}
