// Ctrl-C and SIGTERM: they ask what runs to stop, so that errors clean up as always and no
// temporary file stays; a second one ends the process at once. Those that are ignored stay so.
#pragma once

#include <stop_token>

namespace graft::cli {

// Before any other thread exists.
void watch_for_interrupts();
// For everything that takes long.
std::stop_token interrupt_token();
// Ends the process by the signal that came, if one did: who waits for it sees that. At the end of
// main.
void die_if_interrupted();

}  // namespace graft::cli
