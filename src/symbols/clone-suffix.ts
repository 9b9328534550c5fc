/**
 * The suffixes that compilers give to copies and pieces of a function: "handle.constprop.0", "main.cold".
 *
 * They say nothing to the function's author, differ from build to build, and debug info doesn't have
 * them: without them a function has one name in every tier and every build.
 */
const SUFFIX =
  /(?:\.(?:isra|constprop|part|cold|hot|unlikely|localalias|lto_priv|llvm|clone|specialized)(?:\.\d+)*)+$/;

/** A symbol's name without such suffixes; other names with dots stay. */
export const withoutCloneSuffix = (name: string): string => {
  const short = name.replace(SUFFIX, "");
  return short === "" ? name : short;
};
