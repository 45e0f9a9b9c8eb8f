package org.backplane.board.api;

/**
 * A page in the TLB.
 *
 * @param user for accesses with user rights; else for those of a supervisor
 * @param gva linear address of the page
 * @param gpa what it maps, -1 if that is in no memory slot
 * @param write a page that is clean, read-only, a shadowed page table, or holds decoded code, has no right to write here, so that a write is noticed
 * @param global survives a load of CR3
 */
public record TlbEntry(boolean user, long gva, long gpa, boolean read, boolean write, boolean execute, boolean global) {}
