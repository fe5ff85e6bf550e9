export type Shell = 'bash' | 'zsh' | 'fish';

/**
 * What a shell has to know: each asks `rollcall completion suggest` for the words that fit, and shows them in its own way. An
 * answer has a line for each word, with what it is after a tab, and `:files` where a file may stand. Of bash see "Programmable
 * Completion Builtins" of its manual; of zsh `_describe` in zshcompsys(1); of fish complete(1).
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# rollcall completion bash: put this into ~/.bashrc
#   eval "$(rollcall completion bash)"
_rollcall() {
  local line word="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default
    else
      line="\${line%%$'\\t'*}"
      # What stands before a = is no part of the word for bash.
      COMPREPLY+=("\${line#--*=}")
    fi
  done < <("\${COMP_WORDS[0]}" completion suggest -- \\
    "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _rollcall rollcall`,
  zsh: `#compdef rollcall
# rollcall completion zsh: put this into ~/.zshrc, after compinit
#   eval "$(rollcall completion zsh)"
_rollcall() {
  local line
  local -a found
  local typed=("\${(@)words[2,CURRENT]}")
  for line in "\${(@f)$("\${words[1]}" completion suggest -- "$typed[@]" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      _files
    elif [[ -n $line ]]; then
      found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  (( \${#found} )) && _describe rollcall found
}
compdef _rollcall rollcall`,
  fish: `# rollcall completion fish: put this into ~/.config/fish/completions/rollcall.fish
#   rollcall completion fish > ~/.config/fish/completions/rollcall.fish
function __rollcall_complete
    set -l typed (commandline -opc) (commandline -ct)
    for line in ($typed[1] completion suggest -- $typed[2..-1] 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c rollcall -f -a '(__rollcall_complete)'`,
};
