#include "completion.hpp"

#include <iostream>

#include "terminal.hpp"

namespace jiaozi::cli {
namespace {

// What can follow these words: subcommands, and the long names of options.
std::string words_after(const CLI::App& app) {
    std::string words;
    const auto add = [&words](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
    for (const CLI::App* sub : app.get_subcommands({})) {
        if (!sub->get_name().empty()) add(sub->get_name());
    }
    for (const CLI::Option* option : app.get_options({})) {
        for (const std::string& name : option->get_lnames()) add("--" + name);
    }
    return words;
}

// One case a command, keyed by the words before the cursor that are no options.
void add_cases(const CLI::App& app, const std::string& path, std::string& script) {
    script += "    '" + path + "') words='" + words_after(app) + "' ;;\n";
    for (const CLI::App* sub : app.get_subcommands({}))
        add_cases(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), script);
}

}  // namespace

std::string bash_completion(const CLI::App& root) {
    std::string script =
        "_jiaozi() {\n"
        "  local word path='' words='' count=0\n"
        "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "    case $word in -*) break ;; esac\n"
        "    [ \"$count\" -lt 2 ] && path=\"${path:+$path }$word\"\n"
        "    count=$((count + 1))\n"
        "  done\n"
        "  while :; do\n"
        "    case $path in\n";
    add_cases(root, "", script);
    script +=
        "    *' '*) path=${path% *}; continue ;;\n"
        "    *) path=''; continue ;;\n"
        "    esac\n"
        "    break\n"
        "  done\n"
        "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
        "}\n"
        "complete -F _jiaozi jiaozi\n";
    return script;
}

void add_completion_command(CLI::App& root) {
    CLI::App* noun = root.add_subcommand("completion", say("completion for your shell", "命令行补全"));
    noun->require_subcommand(1);
    noun->group(say("Development", "开发"));
    CLI::App* verb = noun->add_subcommand(
        "bash", say("print a script: source <(jiaozi completion bash)", "输出脚本：source <(jiaozi completion bash)"));
    verb->callback([&root] { std::cout << bash_completion(root); });
}

}  // namespace jiaozi::cli
