//! Connected components.

/// The connected components with two or more members of a graph on so many nodes: members ascending, components by their
/// first one. What links to a node outside is passed over.
#[must_use]
pub fn components(nodes: usize, links: &[[usize; 2]]) -> Vec<Vec<usize>> {
    // Each node points to one that is not larger, the smallest of a component to itself.
    let mut parent: Vec<usize> = (0..nodes).collect();
    for &[a, b] in links {
        if a < nodes && b < nodes {
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut members = vec![Vec::new(); nodes];
    for node in 0..nodes {
        members[root(&mut parent, node)].push(node);
    }
    members.retain(|members| members.len() > 1);
    members
}

/// The smallest node of a node's component; shortens the way there.
fn root(parent: &mut [usize], mut node: usize) -> usize {
    while parent[node] != node {
        parent[node] = parent[parent[node]];
        node = parent[node];
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_count_and_lone_nodes_do_not() {
        assert_eq!(components(8, &[[5, 3], [6, 1], [1, 5], [7, 2], [2, 2]]), [vec![1, 3, 5, 6], vec![2, 7]]);
        assert!(components(3, &[[0, 3], [9, 9]]).is_empty() && components(0, &[]).is_empty());
    }
}
