package org.backplane.board.api;

/**
 * A range of linear addresses that the guest's own tables map with the same rights. What is behind need not be contiguous.
 *
 * @param gva first address
 * @param size in bytes
 * @param gpa of the first page
 * @param writable every level grants writes
 * @param user every level grants user accesses
 * @param noExecute a level forbids fetches
 * @param global the pages are global
 */
public record GuestMapping(long gva, long size, long gpa, boolean writable, boolean user, boolean noExecute, boolean global) {}
