// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Checkpoints of transparency logs, kept where the log's keeper cannot take them back (docs/proofs.md, "Anchors").
///
/// Each publisher (msg.sender) has one list a log. Entries are added at the end, by that publisher alone, sizes ascend,
/// and nothing is ever changed or removed: there is no owner, no upgrade, no money in it. The contract knows nothing of
/// the log; whoever reads compares.
contract CheckpointAnchor {
    struct Anchor {
        bytes32 root; // of the Merkle tree, RFC 9162
        uint64 size; // leaves
        uint64 time; // of the block, seconds since 1970
    }

    /// A list only grows: the log must have more leaves than at its last anchor.
    error NotLarger(uint64 anchored, uint64 offered);

    event Anchored(address indexed publisher, bytes32 indexed origin, uint64 size, bytes32 root, uint256 index);

    mapping(address publisher => mapping(bytes32 origin => Anchor[])) private lists;

    /// `origin` is the SHA-256 of the log's name, the first line of its checkpoints.
    function publish(bytes32 origin, uint64 size, bytes32 root) external {
        Anchor[] storage list = lists[msg.sender][origin];
        uint64 anchored = list.length == 0 ? 0 : list[list.length - 1].size;
        if (size <= anchored) revert NotLarger(anchored, size);
        emit Anchored(msg.sender, origin, size, root, list.length);
        list.push(Anchor(root, size, uint64(block.timestamp)));
    }

    function count(address publisher, bytes32 origin) external view returns (uint256) {
        return lists[publisher][origin].length;
    }

    /// All zeros while there is none.
    function latest(address publisher, bytes32 origin) external view returns (Anchor memory) {
        Anchor[] storage list = lists[publisher][origin];
        if (list.length == 0) return Anchor(0, 0, 0);
        return list[list.length - 1];
    }

    /// Reverts behind the end.
    function entry(address publisher, bytes32 origin, uint256 index) external view returns (Anchor memory) {
        return lists[publisher][origin][index];
    }
}
