package platform

// DependabotCooldownDays is for how many days Dependabot holds back a version update
// where a file configures no cooldown; security updates are not held back. Source: the
// changelog of github.blog, 2026-07-14.
const DependabotCooldownDays = 3
